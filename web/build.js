// Makes the page's bundle: node build.js [FOLDER], by default into the page itself.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

const folder = process.argv[2] ?? "../src/kapelle/studio/page";
buildSync({ entryPoints: ["synth.js"], bundle: true, format: "esm", minify: true, legalComments: "none", outfile: join(folder, "synth.js") });
// The processor is published ready to use; its licence and those of what is inside go with it.
copyFileSync("node_modules/spessasynth_lib/dist/spessasynth_processor.min.js", join(folder, "synth-processor.js"));
const texts = ["spessasynth_lib", "spessasynth_core", "stb-vorbis"].map((name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8")}`;
});
writeFileSync(join(folder, "synth.LICENSE.txt"), texts.join(`\n${"-".repeat(80)}\n\n`));
