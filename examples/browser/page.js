// A whole page around the module that clearzoom's server uses, too.
import { Enlarger } from "../../src/clearzoom/server/page/device/enlarger.js";

const WEIGHTS = "../../src/clearzoom/weights"; // cards and the .onnx files beside them
const by = (id) => document.getElementById(id);
const enlarger = new Enlarger();

async function enlarge(file) {
  by("save").hidden = by("result").hidden = true;
  by("working").hidden = false;
  by("bar").removeAttribute("value");
  by("said").textContent = "Loading the network …";
  try {
    const card = `${WEIGHTS}/${by("network").value}.json`;
    const { blob, width, height, threads } = await enlarger.enlarge(file, card, (done, total) => {
      by("bar").value = done / total;
      by("said").textContent = `Tile ${done} of ${total}`;
    });
    URL.revokeObjectURL(by("save").href);
    by("save").href = by("result").src = URL.createObjectURL(blob);
    by("save").download = `${file.name.replace(/\.\w+$/, "")}-enlarged.png`;
    by("said").textContent = `${width} × ${height} px, computed here by ${threads} thread(s)`;
    by("save").hidden = by("result").hidden = false;
    by("working").hidden = true;
  } catch (error) {
    if (error.code === "cancelled" && enlarger.isBusy) return; // another picture took its place
    by("said").textContent = error.message;
    by("working").hidden = true;
  }
}

by("file").addEventListener("change", ({ target }) => target.files[0] && enlarge(target.files[0]));
by("cancel").addEventListener("click", () => enlarger.cancel());
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) enlarge(event.dataTransfer.files[0]);
});
