// A picture in grey, beneath colours that mean something.

/**
 * What was just drawn of a layer loses its colour.
 * @param {OpenSeadragon.Viewer} viewer
 * @param {OpenSeadragon.TiledImage} layer
 */
export function drainColour(viewer, layer) {
  const canvas = /** @type {HTMLCanvasElement} */ (viewer.drawer.canvas);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const bounds = viewer.viewport.viewportToViewerElementRectangle(layer.getBounds(true));
  const { x, y, width, height } = bounds.times(devicePixelRatio);
  pen.save();
  pen.globalCompositeOperation = "saturation";
  pen.fillStyle = "#808080";
  pen.fillRect(x, y, width, height);
  pen.restore();
}
