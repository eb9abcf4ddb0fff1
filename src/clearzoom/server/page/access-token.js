// Stands in a frame of a viewer on another site, and posts a token or an error to it.
const { message = "null", origin: viewer = "" } = document.body.dataset;
window.parent.postMessage(JSON.parse(message), viewer);
