// @ts-check
/** Displays the app again at another address, as a reload does, but in the same document and kernel. */
async (/** @type {string} */ search) => {
  const manager = /** @type {any} */ (window).jupyterapp.widgetManager; // Voila's
  /** @type {any[]} */
  const models = await Promise.all([...manager.registeredModels].map((id) => manager.get_model(id)));
  const app = models.find((model) => model.get("part") === "app");
  const [old] = await Promise.all(Object.values(app.views));
  const place = old.luminoWidget.parent;
  old.remove();
  history.replaceState(null, "", search);
  history.replaceState = () => {}; // the old display still changes the address, after a delay
  // No address resets the open page. Once the kernel has done this, it has sent all that it sends to the old display.
  await new Promise((done) => {
    const status = (/** @type {any} */ { content }) => content.execution_state === "idle" && done(null);
    app.send({ act: "page", key: "compress" }, { iopub: { status } });
  });
  const view = await manager.create_view(app);
  place.addWidget(view.luminoWidget);
  place.show();
  while (!document.querySelector(".wb")) await new Promise(requestAnimationFrame);
  delete (/** @type {Partial<History>} */ (history).replaceState);
}
