// Plain, compare or lens: which part of the view shows inferred detail, and which interpolated.
import { by } from "./dom.js";

const STEP = 0.02; // of the width, for each press of an arrow key
const LENS_CORNERS = 64;
const TAG_ROOM_PX = 20; // beside the tag of a side

/** @typedef {import("./route.js").Mode} Mode */

export class Modes {
  /**
   * @param {import("./stage.js").Stage} stage
   * @param {() => void} onChange
   */
  constructor(stage, onChange) {
    this.stage = stage;
    this.onChange = onChange;
    /** @type {Mode} */
    this.mode = "plain";
    this.split = 0.5;
    this.lensAt = { x: 0.5, y: 0.45 };
    this.isAble = false;
    stage.addEventListener("view", () => this.place());
    this.#divide();
    this.#focusLens();
  }

  /** @param {Mode} mode */
  set(mode) {
    this.mode = this.isAble ? mode : "plain";
    by("divider").hidden = this.mode !== "compare";
    by("lens").hidden = this.mode !== "lens";
    by("lens-around").hidden = this.mode !== "lens";
    by("tool-compare").setAttribute("aria-pressed", String(this.mode === "compare"));
    by("tool-lens").setAttribute("aria-pressed", String(this.mode === "lens"));
    this.place();
    this.onChange();
  }

  /** @param {Mode} mode */
  toggle(mode) {
    this.set(this.mode === mode ? "plain" : mode);
  }

  #size() {
    const { clientWidth: width, clientHeight: height } = by("canvas");
    return { width, height };
  }

  place() {
    const { width, height } = this.#size();
    if (this.mode === "compare") {
      const x = this.split * width;
      by("divider").style.left = `${x}px`;
      this.#fitTags(x, width - x);
      by("divider").setAttribute("aria-valuenow", String(Math.round(100 * this.split)));
      by("divider").setAttribute("aria-valuetext", `${Math.round(100 * this.split)} %`);
      const far = 2 * width;
      this.stage.crop([[x, -1], [far, -1], [far, height + 1], [x, height + 1]]);
    } else if (this.mode === "lens") {
      const [x, y] = [this.lensAt.x * width, this.lensAt.y * height];
      const lens = by("lens");
      lens.style.left = `${x}px`;
      lens.style.top = `${y}px`;
      const radius = lens.offsetWidth / 2 - 2;
      /** @type {[number, number][]} */
      const corners = [];
      for (let i = 0; i < LENS_CORNERS; i += 1) {
        const angle = (2 * Math.PI * i) / LENS_CORNERS;
        corners.push([x + radius * Math.cos(angle), y + radius * Math.sin(angle)]);
      }
      this.stage.crop(corners);
    } else {
      this.stage.crop(null);
    }
  }

  /**
   * A side that is narrower than what names it goes without.
   * @param {number} left width of the side, in screen px
   * @param {number} right
   */
  #fitTags(left, right) {
    for (const [tag, room] of /** @type {const} */ ([[by("side-left"), left], [by("side-right"), right]])) {
      tag.classList.toggle("cramped", room < tag.offsetWidth + TAG_ROOM_PX);
    }
  }

  /**
   * What lies on the picture does not keep the wheel for itself.
   * @param {HTMLElement} element
   */
  #passWheel(element) {
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.stage.viewer.canvas.dispatchEvent(new WheelEvent(event.type, event));
    });
  }

  /** @param {number} part */
  #within(part) {
    return Math.min(1, Math.max(0, part));
  }

  /** @param {number} part of the width */
  #splitAt(part) {
    this.split = this.#within(part);
    this.place();
  }

  #divide() {
    const divider = by("divider");
    /** @param {PointerEvent} event */
    const follow = (event) => {
      const { left, width } = by("canvas").getBoundingClientRect();
      this.#splitAt((event.clientX - left) / width);
    };
    drag(divider, follow);
    this.#passWheel(divider);
    divider.addEventListener("keydown", (event) => {
      const far = event.shiftKey ? 5 * STEP : STEP;
      /** @type {Record<string, number>} */
      const moves = {
        ArrowLeft: this.split - far,
        ArrowDown: this.split - far,
        ArrowRight: this.split + far,
        ArrowUp: this.split + far,
        PageDown: this.split - 0.1,
        PageUp: this.split + 0.1,
        Home: 0,
        End: 1,
      };
      if (!(event.key in moves)) return;
      event.preventDefault();
      event.stopPropagation(); // the stage would pan
      this.#splitAt(moves[event.key]);
    });
  }

  /**
   * @param {number} x of the width
   * @param {number} y of the height
   */
  #lensTo(x, y) {
    this.lensAt = { x: this.#within(x), y: this.#within(y) };
    this.place();
  }

  #focusLens() {
    const lens = by("lens");
    /** @param {MouseEvent} event */
    const follow = (event) => {
      if (this.mode !== "lens") return;
      const { left, top, width, height } = by("canvas").getBoundingClientRect();
      this.#lensTo((event.clientX - left) / width, (event.clientY - top) / height);
    };
    // A mouse carries the lens along; a finger takes it, or taps where it shall be.
    by("stage").addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") follow(event);
    }, { capture: true });
    this.stage.viewer.addHandler("canvas-click", ({ originalEvent, quick }) => {
      if (quick) follow(/** @type {MouseEvent} */ (originalEvent));
    });
    drag(lens, follow);
    this.#passWheel(lens);
    lens.addEventListener("keydown", (event) => {
      /** @type {Record<string, [number, number]>} */
      const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (!(event.key in steps)) return;
      event.preventDefault();
      event.stopPropagation();
      const [right, down] = steps[event.key];
      this.#lensTo(this.lensAt.x + right * STEP, this.lensAt.y + down * STEP);
    });
  }
}

/**
 * Call follow while a pointer drags an element.
 * @param {HTMLElement} element
 * @param {(event: PointerEvent) => void} follow
 */
export function drag(element, follow) {
  element.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    event.stopPropagation();
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    element.classList.add("dragging");
    follow(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) follow(event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    element.addEventListener(end, () => element.classList.remove("dragging"));
  }
}
