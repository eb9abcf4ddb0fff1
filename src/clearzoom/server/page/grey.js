// A picture in grey, beneath colours that mean something.

const copy = document.createElement("canvas");

/**
 * What was drawn by now loses its colour; what is transparent stays so.
 * @param {OpenSeadragon.Viewer} viewer
 */
export function drainColour(viewer) {
  const canvas = /** @type {HTMLCanvasElement} */ (viewer.drawer.canvas);
  const pen = canvas.getContext("2d");
  const kept = copy.getContext("2d");
  if (!pen || !kept) return;
  [copy.width, copy.height] = [canvas.width, canvas.height];
  kept.drawImage(canvas, 0, 0);
  pen.save();
  pen.resetTransform();
  pen.globalCompositeOperation = "saturation";
  pen.fillStyle = "#808080";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.globalCompositeOperation = "destination-in"; // where something was drawn, and as opaque
  pen.drawImage(copy, 0, 0);
  pen.restore();
}
