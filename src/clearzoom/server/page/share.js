// Addresses of what is on the screen, to be copied: the page's own, and those of IIIF.
import { by, closable, toast } from "./dom.js";
import { stateOf } from "./content-state.js";
import { t } from "./words.js";

const LINKS = /** @type {const} */ (["share-page", "share-state", "share-manifest"]);

/** Make the dialog's buttons work. */
export function prepareSharing() {
  closable(by("share"), by("share-close"));
  for (const id of LINKS) {
    by(id).addEventListener("focus", () => by(id).select());
    by(`${id}-copy`).addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(by(id).value);
        toast(t("share.copied"));
      } catch {
        by(id).focus(); // it is selected, and can be copied by hand
      }
    });
  }
}

/**
 * @param {import("./api.js").Picture} picture
 * @param {{left: number, top: number, width: number, height: number}} seen px of it that are in view
 */
export function share(picture, seen) {
  const manifest = new URL(picture.manifest, location.href).href;
  const here = new URL(location.href);
  here.searchParams.delete("iiif-content");
  by("share-page").value = here.href;
  here.hash = "";
  here.searchParams.set("iiif-content", stateOf(manifest, seen));
  by("share-state").value = here.href;
  by("share-manifest").value = manifest;
  by("share").showModal();
}
