// A file of the person's own: what may be uploaded, the file on its way in, what became of it.
//
// The kernel asks for each piece, so that nothing piles up on the way. Marks for tests:
//   .upload[data-step]       as Python says: ask, busy, choose, done, failed or idle

import { h, setText } from "./dom.js";

export class Upload {
  constructor(channel) {
    this.channel = channel;
    this.number = 0; // of the newest file; answers about older ones are too late
    this.node = h("details", { className: "menu upload", "data-step": "idle" });
    channel.on("upload", (message) => message.number === this.number && this.show(message));
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.onOutside = (event) => {
      if (!this.node.contains(event.target) && !this.busy) this.node.open = false;
    };
    document.addEventListener("pointerdown", this.onOutside);
    this.node.addEventListener("toggle", () => {
      if (!this.node.open && this.node.dataset.step === "done") this.show({ step: "idle" }); // read
    });
  }

  // Once: what is on its way stays when another model brings another page.
  build({ words, upload }) {
    if (this.words) return;
    this.words = upload;
    this.input = h("input", {
      type: "file",
      accept: upload.accept,
      "aria-label": upload.drop,
      onchange: () => {
        this.send(this.input.files[0]);
        this.input.value = ""; // the same file may be chosen again
      },
    });
    this.drop = h("label", { className: "drop" }, this.input, h("span", { text: upload.drop }));
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
      this.drop.addEventListener(name, (event) => this.onDrag(event));
    }
    this.about = h(
      "div",
      { className: "about-files" },
      h("dl", {}, ...upload.kinds.flatMap((kind) => [h("dt", { text: kind.label }), h("dd", { text: kind.help })])),
      this.drop,
      h("p", { className: "promise", text: upload.promise }),
    );
    this.doing = h("span", { className: "doing" });
    this.bar = h("progress", { max: 1, "aria-label": upload.button });
    this.columns = h("select", { "aria-label": upload.target });
    this.target = h(
      "div",
      { className: "target", hidden: true },
      h("span", { text: upload.target }),
      this.columns,
      h("button", { type: "button", className: "primary small", text: upload.train, onclick: () => this.train() }),
    );
    this.work = h(
      "div",
      { className: "work", hidden: true },
      this.doing,
      this.bar,
      this.target,
      h("button", {
        type: "button",
        className: "quiet small",
        text: words.cancel,
        onclick: () => this.channel.act("upload_cancel"),
      }),
    );
    this.said = h("p", { className: "said", role: "status" });
    this.summary = h("summary", { className: "quiet", text: upload.button });
    this.node.append(this.summary, h("div", { className: "menu-list" }, this.said, this.work, this.about));
  }

  get busy() {
    return ["ask", "busy", "choose"].includes(this.node.dataset.step);
  }

  close() {
    this.node.open = false;
    this.summary.focus();
  }

  onDrag(event) {
    event.preventDefault(); // else the browser opens the file in place of the page
    this.drop.classList.toggle("over", event.type === "dragenter" || event.type === "dragover");
    if (event.type === "drop") this.send(event.dataTransfer.files[0]);
  }

  send(file) {
    if (!file) return;
    this.number += 1;
    this.file = file;
    this.channel.act("upload", { number: this.number, file: file.name, size: file.size });
  }

  async sendPiece(at) {
    const { file, number } = this;
    const doing = this.words.sending.replace("{name}", () => file.name);
    this.showWork(doing, at / file.size);
    const piece = await file.slice(at, at + this.words.piece).arrayBuffer().catch(() => null);
    if (number !== this.number || !this.busy) return;
    this.channel.act("upload_part", { number }, piece ? [piece] : []); // none: it cannot be read
  }

  train() {
    this.channel.act("upload_target", { number: this.number, target: this.columns.selectedIndex });
  }

  show({ step, text, share, at, columns, chosen }) {
    this.node.dataset.step = step;
    this.about.hidden = this.busy || step === "done";
    this.work.hidden = !this.busy;
    this.target.hidden = step !== "choose";
    this.bar.hidden = step === "choose";
    setText(this.said, (!this.busy && text) || "");
    if (step === "ask") this.sendPiece(at);
    if (step === "busy") this.showWork(text, share);
    if (step === "choose") {
      setText(this.doing, text);
      this.columns.replaceChildren(...columns.map((name) => h("option", { text: name })));
      this.columns.selectedIndex = chosen;
      this.columns.focus();
    }
    if (!this.busy) this.file = null;
  }

  showWork(text, share) {
    setText(this.doing, text);
    if (typeof share === "number") this.bar.value = share;
    else this.bar.removeAttribute("value");
  }

  clear() {
    document.removeEventListener("pointerdown", this.onOutside);
  }
}
