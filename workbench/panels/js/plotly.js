// @ts-check
// Loads plotly.js once per page: the head of a page from our server loads it; anywhere else it comes
// from the kernel, with the state of a widget or as the answer to a request. No other server is
// contacted.

/** @import { Channel } from "./channel.js" */
/** @import { Plotly } from "./types" */

// The promise belongs to the window, because each widget has its own copy of this module.
/** @type {(channel: Channel, script?: BlobPart | null) => Promise<Plotly>} */
export function loadPlotly(channel, script = null) {
  if (window.Plotly?.react) return Promise.resolve(window.Plotly);
  window.workbenchPlotly ||= fromPage().catch(async () => run(await unpack(script ?? (await fromKernel(channel)))));
  return window.workbenchPlotly;
}

/** @returns {Promise<Plotly>} */
function fromPage() {
  const script = document.getElementById("workbench-plotly");
  return script instanceof HTMLScriptElement && !script.dataset.failed
    ? loaded(script)
    : Promise.reject(new Error("no script"));
}

/** @type {(channel: Channel) => Promise<ArrayBuffer>} */
function fromKernel(channel) {
  return new Promise((resolve) => {
    channel.on("plotly", (_message, buffers) => resolve(buffers[0]));
    channel.act("plotly");
  });
}

/** @type {(packed: BlobPart) => Promise<string>} */
async function unpack(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = await new Response(stream).blob();
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

/** @type {(url: string) => Promise<Plotly>} */
function run(url) {
  const script = document.createElement("script");
  script.src = url;
  document.head.append(script);
  return loaded(script);
}

/** @type {(script: HTMLScriptElement) => Promise<Plotly>} */
function loaded(script) {
  return new Promise((resolve, reject) => {
    script.addEventListener("load", () => resolve(/** @type {Plotly} */ (window.Plotly)));
    script.addEventListener("error", () => reject(new Error("plotly.js")));
  });
}
