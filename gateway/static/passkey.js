// Asks the authenticator for what the form sends. Without scripts, or in a browser without passkeys, the form stays hidden.
(() => {
  const parsers = { create: "parseCreationOptionsFromJSON", get: "parseRequestOptionsFromJSON" };
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const kind = form.dataset.passkey;
    const parse = window.PublicKeyCredential && PublicKeyCredential[parsers[kind]];
    if (!parse) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const failed = form.querySelector("[data-failed]");
      failed.hidden = true;
      try {
        const answer = await fetch(form.dataset.options, { method: "POST", headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        const publicKey = parse.call(PublicKeyCredential, await answer.json());
        const credential = await navigator.credentials[kind]({ publicKey });
        form.elements.credential.value = JSON.stringify(credential.toJSON());
        form.submit();
      } catch {
        failed.hidden = false;
      }
    });
  }
})();
