// Uploads files in pieces, with a bar, over lines that break: the tus protocol, by tus-js-client. What has come stays
// where the line broke, and the rest follows by itself, or after a reload once the same file is chosen again. Nothing
// of a file is kept in this browser. Without scripts the page's form does it in one piece.
(() => {
  const section = document.querySelector("#documents[data-uploads]");
  if (!section || !window.tus || !window.tus.isSupported) return;
  const words = section.dataset;
  const PIECE = 2 * 1024 * 1024;
  const RETRIES = [500, 1000, 3000, 5000, 10000, 20000, 30000];
  const CHECKED_WITHIN = 60;
  const HANGING = "onehall-upload-";

  const told = (text, values) => Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), text);

  // which file of this device an upload is of, so that no other one goes on with it: its length and time, no name
  const signature = (file) => `${file.size}-${file.lastModified}`;
  const remember = (url, file) => { try { localStorage.setItem(HANGING + url, signature(file)); } catch { /* private */ } };
  const forget = (url) => { try { localStorage.removeItem(HANGING + url); } catch { /* private */ } };
  const isOf = (url, file) => { try { return localStorage.getItem(HANGING + url) === signature(file); } catch { return false; } };

  const element = (name, className, text = "") => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  };

  const fresh = async (box, query) => {
    // the box as the server shows it: what was typed elsewhere on the page stays
    const answer = await fetch(`${location.pathname}?${query}`, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const shown = page.getElementById(box.id);
    if (!answer.ok || !shown) { location.reload(); return; }
    box.replaceWith(shown);
    enhance(shown);
    shown.setAttribute("tabindex", "-1");
    shown.focus({ preventScroll: true });
  };

  const outcome = async (url) => {
    for (let turn = 0; turn < CHECKED_WITHIN; turn += 1) {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) return {};
      const found = await answer.json();
      if (found.status !== "received") return found;
      await new Promise((done) => { setTimeout(done, 1000); });
    }
    return {};
  };

  const said = (error) => {
    try {
      const problem = JSON.parse(error.originalResponse.getBody());
      return problem.errors?.[0]?.detail || problem.detail || words.failed;
    } catch {
      return words.failed;
    }
  };

  const begin = (box, form, input) => {
    const file = input.files[0];
    const panel = element("div", "oh-upload");
    const bar = element("progress", "oh-upload__bar");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", told(words.uploading, { name: file.name }));
    const status = element("p", "govuk-body");
    status.setAttribute("role", "status");
    status.textContent = told(words.uploading, { name: file.name });
    const buttons = element("div", "oh-buttons");
    const stop = element("button", "govuk-button govuk-button--secondary", words.stop);
    stop.type = "button";
    const again = element("button", "govuk-button", words.again);
    again.type = "button";
    again.hidden = true;
    buttons.append(again, stop);
    panel.append(status, bar, buttons);
    form.hidden = true;
    form.after(panel);
    let spoken = -1;
    // nothing is under way and nothing tries again by itself: only then is it begun anew
    let stands = false;

    const hanging = [...box.querySelectorAll("[data-upload]")].map((each) => each.dataset.upload).find((url) => isOf(url, file));
    const upload = new window.tus.Upload(file, {
      endpoint: section.dataset.uploads,
      uploadUrl: hanging ?? null,
      metadata: { filename: file.name, document: box.dataset.document, acting: form.elements.namedItem("acting").value, ...JSON.parse(words.target) },
      headers: { "Accept-Language": document.documentElement.lang },
      chunkSize: PIECE,
      retryDelays: RETRIES,
      storeFingerprintForResuming: false,
      removeFingerprintOnSuccess: false,
      onUploadUrlAvailable: () => remember(upload.url, file),
      onShouldRetry: (error) => {
        const code = error.originalResponse ? error.originalResponse.getStatus() : 0;
        if (code === 0) { status.textContent = words.interrupted; spoken = -1; }
        return code === 0 || code === 409 || code === 503;
      },
      onProgress: (sent, total) => {
        const percent = total ? Math.floor((100 * sent) / total) : 0;
        bar.value = percent;
        bar.textContent = `${percent} %`;
        // a reader of the screen is told of each quarter, not of each percent
        if (Math.floor(percent / 25) !== spoken) {
          spoken = Math.floor(percent / 25);
          status.textContent = told(words.progress, { name: file.name, percent });
        }
      },
      onError: (error) => {
        stands = true;
        const code = error.originalResponse ? error.originalResponse.getStatus() : 0;
        status.textContent = code === 0 ? words.interrupted : said(error);
        status.classList.toggle("govuk-error-message", code !== 0);
        bar.hidden = code !== 0;
        again.hidden = code !== 0 && code !== 503;
        if (code === 404 || code === 410) forget(upload.url);
        stop.textContent = code === 0 ? words.stop : words.close;
      },
      onSuccess: async () => {
        forget(upload.url);
        status.textContent = words.checking;
        bar.removeAttribute("value");
        buttons.hidden = true;
        window.removeEventListener("online", goOn);
        const found = await outcome(upload.url);
        const fault = found.fault ? new URLSearchParams({ document: box.dataset.document, fault: found.fault }) : new URLSearchParams({ attached: "1" });
        await fresh(box, fault);
      },
    });
    const goOn = () => { if (!stands) return; stands = false; again.hidden = true; status.classList.remove("govuk-error-message"); upload.start(); };
    again.addEventListener("click", goOn);
    window.addEventListener("online", goOn);
    stop.addEventListener("click", async () => {
      window.removeEventListener("online", goOn);
      try { await upload.abort(upload.url !== null); } catch { /* its bytes go by themselves after a day */ }
      if (upload.url) forget(upload.url);
      panel.remove();
      form.hidden = false;
      input.focus();
    });
    upload.start();
  };

  const enhance = (box) => {
    const form = box.querySelector("form[enctype]");
    if (!form) return;
    form.addEventListener("submit", (event) => {
      const input = form.querySelector("input[type=file]");
      // nothing chosen: the server says so, as it does without scripts
      if (!input.files.length) return;
      event.preventDefault();
      begin(box, form, input);
    });
  };

  section.querySelectorAll("[data-document]").forEach(enhance);
})();
