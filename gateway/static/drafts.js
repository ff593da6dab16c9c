// Saves what is typed as a draft, a little after each change: only the fields that were changed, with the revision that
// this page knows. What another device has saved meanwhile is shown here where nobody has typed, and asked about where
// both did. What is typed while a save is under way, or fails to be saved, goes with the next one, which comes by
// itself. Without scripts, the page's button does.
(() => {
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const status = document.getElementById("draft-status");
  const conflicts = document.getElementById("draft-conflicts");
  const base = form.elements.namedItem("base");
  const changed = new Set();
  const HIDDEN = new Set(["acting", "idempotency_key", "item", "item_version", "base"]);
  const PAUSE = 1200;
  const AGAIN = 10000;
  // what a browser sends for a page that is gone already
  const MOST_WHEN_LEAVING = 60000;
  let timer = 0;
  let isSaving = false;
  let isLeaving = false;

  const controls = (name) => [...form.elements].filter((control) => control.name === name);

  const show = (name, value) => {
    const values = Array.isArray(value) ? value : [value];
    for (const control of controls(name)) {
      if (control.type === "radio" || control.type === "checkbox") control.checked = values.includes(control.value);
      else control.value = value;
    }
    // other questions may hang on it
    form.dispatchEvent(new Event("change"));
  };

  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "govuk-button govuk-button--secondary";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  };

  const ask = (conflict) => {
    const box = document.createElement("div");
    box.className = "oh-box";
    const said = document.createElement("p");
    said.className = "govuk-body";
    said.textContent = conflict.said;
    const buttons = document.createElement("div");
    buttons.className = "oh-buttons";
    buttons.append(
      button(form.dataset.take, () => { show(conflict.field, conflict.value); box.remove(); }),
      button(form.dataset.keep, () => { changed.add(conflict.field); box.remove(); plan(); }),
    );
    box.append(said, buttons);
    conflicts.append(box);
  };

  const save = async () => {
    if (isSaving || isLeaving || changed.size === 0) return;
    isSaving = true;
    const sent = [...changed];
    changed.clear();
    const filled = new FormData(form);
    const body = new URLSearchParams();
    for (const name of HIDDEN) body.append(name, filled.get(name) ?? "");
    for (const name of sent) {
      body.append("changed", name);
      for (const value of filled.getAll(name)) body.append(name, value);
    }
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
        keepalive: document.visibilityState === "hidden" && String(body).length < MOST_WHEN_LEAVING,
      });
      if (!answer.ok) throw Object.assign(new Error(), { status: answer.status });
      const saved = await answer.json();
      base.value = saved.revision;
      status.textContent = saved.said;
      for (const [name, value] of Object.entries(saved.changed)) if (!changed.has(name)) show(name, value);
      saved.conflicts.forEach(ask);
      isSaving = false;
      if (changed.size > 0) plan();
    } catch (error) {
      // kept for the next try; the button still works. What was refused would be refused again
      sent.forEach((name) => changed.add(name));
      status.textContent = form.dataset.failed;
      isSaving = false;
      if (!(error.status < 500)) plan(AGAIN);
    }
  };

  const plan = (pause = PAUSE) => {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  };

  form.addEventListener("input", (event) => {
    const name = event.target.name;
    // no answers, and nothing that a draft keeps: what is consented to
    if (!name || name.startsWith("_") || HIDDEN.has(name)) return;
    changed.add(name);
    plan();
  });
  form.addEventListener("submit", () => { isLeaving = true; clearTimeout(timer); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") save(); });
  window.addEventListener("online", save);
  window.addEventListener("pageshow", () => { isLeaving = false; });
})();
