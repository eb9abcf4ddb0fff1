// What is inferred, and by what, in XMP: as clearzoom.io.metadata.provenance writes it.
/** @param {string} text */
const escaped = (text) =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);

/** @param {import("./network.js").Network} network */
export function provenance({ name, scale, sha256, engine }) {
  const properties = Object.entries({
    Tool: "clearzoom in the browser",
    Model: `${name} x${scale}`,
    WeightsSHA256: sha256,
    Scale: String(scale),
    Engine: engine,
  }).map(([key, value]) => `clearzoom:${key}="${escaped(value)}"`);
  return (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>' +
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    '<rdf:Description rdf:about="" xmlns:clearzoom="urn:clearzoom:provenance:1" ' +
    `${properties.join(" ")}/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
  );
}
