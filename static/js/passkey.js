// Talks with the authenticator and sends its answer as an ordinary form. Bytes travel as base64url.
(() => {
  "use strict";

  const form = document.querySelector("form[data-passkey]");
  const failed = document.getElementById("passkey-failed");
  if (!form) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

  function wanted(options) {
    const key = options.publicKey;
    key.challenge = bytes(key.challenge);
    if (key.user) key.user.id = bytes(key.user.id);
    if (key.excludeCredentials) key.excludeCredentials = ids(key.excludeCredentials);
    if (key.allowCredentials) key.allowCredentials = ids(key.allowCredentials);
    return { publicKey: key };
  }

  function answer(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
      clientExtensionResults: credential.getClientExtensionResults(),
    });
  }

  let asking = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.answer.value) return;
    event.preventDefault();
    if (asking) return;
    asking = true;
    failed.hidden = true;
    try {
      const options = wanted(JSON.parse(form.dataset.options));
      const made = form.dataset.passkey === "make" ? await navigator.credentials.create(options) : await navigator.credentials.get(options);
      form.elements.answer.value = answer(made);
      form.submit();
    } catch {
      failed.hidden = false;
      for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    } finally {
      asking = false;
    }
  });
})();
