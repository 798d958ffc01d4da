// The processor is published ready to use; its licence and those of what is inside go with it.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";

const page = "../src/kapelle/studio/page/";
const modules = ["spessasynth_lib", "spessasynth_core", "stb-vorbis"];
copyFileSync("node_modules/spessasynth_lib/dist/spessasynth_processor.min.js", page + "synth-processor.js");
const texts = modules.map((name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8")}`;
});
writeFileSync(page + "synth.LICENSE.txt", texts.join(`\n${"-".repeat(80)}\n\n`));
