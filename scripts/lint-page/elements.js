// Write the types of all elements that have an id in the page's documents: which ids there are, and
// what by("id") of dom.js returns. An id that is in several documents means one kind of element.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const PAGE = new URL("../../src/clearzoom/server/page/", import.meta.url);
const MADE = new URL("made/", import.meta.url);

/** @type {Map<string, string>} */
const tags = new Map();
for (const name of ["index.html", "viewer.html", "device.html", "access.html"]) {
  const text = readFileSync(new URL(name, PAGE), "utf8").replace(/<svg.*?<\/svg>/gs, "");
  for (const [, tag, id] of text.matchAll(/<([a-z][a-z0-9]*)\s(?:[^>]*\s)?id="([^"]+)"/g)) {
    if ((tags.get(id) ?? tag) !== tag) throw new Error(`#${id} is a ${tag} and a ${tags.get(id)}`);
    tags.set(id, tag);
  }
}
const lines = [...tags].map(([id, tag]) => `  "${id}": HTMLElementTagNameMap["${tag}"];\n`);
mkdirSync(MADE, { recursive: true });
writeFileSync(new URL("elements.d.ts", MADE), `interface PageElements {\n${lines.join("")}}\n`);
