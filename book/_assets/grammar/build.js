// Bundles grammar.js and says beside it which packages are inside, with versions and hashes.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { buildSync } from "esbuild";

const out = "../explorer/grammar.min.js";
const locked = JSON.parse(readFileSync("package-lock.json", "utf8")).packages;
const { metafile } = buildSync({
  entryPoints: ["grammar.js"], outfile: out, bundle: true, minify: true, metafile: true,
  format: "iife", globalName: "Plot", charset: "utf8", target: "es2020",
  banner: { js: "/* Observable Plot and d3, bundled: see grammar.json and grammar.LICENSES.txt */" },
});
const inside = Object.entries(metafile.outputs[out].inputs).filter(([, about]) => about.bytesInOutput);
const folders = inside.map(([file]) => file.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
const packages = {};
let licences = "";
for (const folder of [...new Set(folders)].filter(Boolean).sort()) {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  packages[name] = { version, licence: license, integrity: locked[folder].integrity };
  const text = readdirSync(folder).find((file) => /^(un)?licen[cs]e/i.test(file));
  if (!text || !existsSync(`${folder}/${text}`)) throw new Error(`${name}: no licence text`);
  licences += `${name} ${version}\n\n${readFileSync(`${folder}/${text}`, "utf8").trim()}\n\n\n`;
}
const hash = (path) => "sha384-" + createHash("sha384").update(readFileSync(path)).digest("base64");
const told = { file: "grammar.min.js", integrity: hash(out), source: hash("grammar.js"), packages };
writeFileSync("../explorer/grammar.json", JSON.stringify(told, null, 1) + "\n");
writeFileSync("../explorer/grammar.LICENSES.txt", licences.trim() + "\n");
