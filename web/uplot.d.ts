// build.rs makes `uplot.js` out of the npm package, or, without npm, a module whose default is null.
import uPlot from "uplot";

declare const plotter: typeof uPlot | null;
export default plotter;
