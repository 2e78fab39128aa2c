// What the explorer takes of Observable Plot and d3; the rest is left out of the bundle.
export { dodgeY, dot, frame, geo, link, plot, pointer, rect, ruleX, text, tickX, tip } from "@observablehq/plot";
export { create } from "d3";
