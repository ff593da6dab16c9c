// Shows a question when the answers ask for it, and takes it out of the form when they do not. Without scripts the page
// comes back with the questions that it did not show.
(() => {
  const parts = [...document.querySelectorAll("fieldset[data-show-if]")];
  const isAsked = (part) => {
    const filled = new FormData(part.form);
    return Object.entries(JSON.parse(part.dataset.showIf)).every(
      ([name, values]) => filled.getAll(name).some((value) => values.includes(value)),
    );
  };
  const update = () => {
    // one question may hang on another: what has changed is looked at again
    for (let round = 0; round <= parts.length; round += 1) {
      let changed = false;
      for (const part of parts) {
        const asked = isAsked(part);
        changed ||= part.hidden === asked;
        part.hidden = !asked;
        part.disabled = !asked;
      }
      if (!changed) return;
    }
  };
  new Set(parts.map((part) => part.form)).forEach((form) => {
    form.addEventListener("input", update);
    form.addEventListener("change", update);
  });
  window.addEventListener("pageshow", update);
  if (parts.length) update();
})();
