/** Let a range move the border between two pictures that lie on each other. */
export function slides(range, picture) {
  const show = () => picture.style.setProperty("--split", `${range.value}%`);
  range.addEventListener("input", show);
  show();
}
