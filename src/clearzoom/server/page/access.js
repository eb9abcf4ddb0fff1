// The page on which people log in to see pictures that are not for all.
import { by } from "./dom.js";
import { show, t, translate } from "./words.js";

const { state = "out", group = "" } = document.body.dataset;

const HEADINGS = /** @type {const} */ ({
  out: "access.title",
  wrong: "access.title",
  in: "access.in",
  done: "access.in",
  left: "access.left",
});
const NOTES = /** @type {const} */ ({
  out: "access.note",
  wrong: "access.wrong",
  in: "access.close",
  done: "access.close",
  left: "access.left.note",
});

function draw() {
  const key = /** @type {keyof typeof HEADINGS} */ (state);
  by("access-heading").textContent = t(HEADINGS[key]);
  by("access-note").textContent = t(NOTES[key], { group });
}

const asks = state === "out" || state === "wrong";
by("access-form").hidden = !asks;
by("access-ways").hidden = asks;
by("access-leave").hidden = state === "left";
by("access-again").hidden = state !== "left";
by("access-note").setAttribute("role", state === "wrong" ? "alert" : "status");
document.addEventListener("language", draw);
by("language").addEventListener("click", translate);
show();
if (asks) by("access-password").focus();
// A viewer that opened this window goes on when it is closed. Only such a window can be closed.
if (state === "done") window.close();
