// Loads plotly.js once for the page: from our own server where there is one (the page's head names
// the address), else from the kernel through the widget's own wire. Never from anywhere else.

let loading = null;

export function loadPlotly(channel) {
  if (window.Plotly?.react) return Promise.resolve(window.Plotly);
  loading ||= source(channel).then(run);
  return loading;
}

function source(channel) {
  const named = document.querySelector('meta[name="workbench-plotly"]');
  if (named) return Promise.resolve(named.content);
  return new Promise((resolve) => {
    channel.on("drawing", (_message, buffers) => resolve(unpack(buffers[0])));
    channel.act("plotly");
  });
}

async function unpack(buffer) {
  const stream = new Blob([buffer]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = await new Response(stream).blob();
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

function run(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.js"));
    document.head.append(script);
  });
}
