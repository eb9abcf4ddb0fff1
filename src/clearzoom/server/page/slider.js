/**
 * Let a range move the border between two pictures that lie on each other.
 * @param {HTMLInputElement} range
 * @param {HTMLElement} picture
 */
export function slides(range, picture) {
  const show = () => picture.style.setProperty("--split", `${range.value}%`);
  range.addEventListener("input", show);
  show();
}
