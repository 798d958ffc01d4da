export { WorkletSynthesizer } from "spessasynth_lib";
