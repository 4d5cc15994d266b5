/* What the page asks of the server; docs/server.md has the routes. Everything else in this folder knows no URL. */
const api = (() => {
  const failed = async response => {
    let message = response.status + " " + response.statusText, hint = "";
    try {
      const body = await response.json();
      message = body.detail || message;
      hint = body.hint || "";
    } catch { /* not JSON: the status has to do */ }
    const error = new Error(message);
    error.hint = hint;
    error.status = response.status;
    return error;
  };
  const token = () => sessionStorage.getItem("mattebox-token") || "";
  const headers = more => (token() ? { Authorization: "Bearer " + token(), ...more } : more || {});
  async function ask(path, init = {}) {
    let response;
    try {
      response = await fetch(path, { ...init, headers: headers(init.headers) });
    } catch (e) {
      if (e.name === "AbortError") throw e;
      throw new Error("The server does not answer. Is it still running?");
    }
    if (response.status === 401 && api.askToken) {
      const given = await api.askToken();
      if (given) {
        sessionStorage.setItem("mattebox-token", given);
        return ask(path, init);
      }
    }
    /* the server has as much to do as it takes: again when it says */
    if (response.status === 429) {
      await new Promise((go, stop) => {
        const timer = setTimeout(go, 1000 * Math.min(30, +response.headers.get("Retry-After") || 2));
        if (init.signal) init.signal.addEventListener("abort", () => { clearTimeout(timer); stop(new DOMException("", "AbortError")); });
      });
      return ask(path, init);
    }
    if (!response.ok) throw await failed(response);
    return response;
  }
  /* fetch() tells nothing about an upload under way, XMLHttpRequest does. */
  function upload(file, signal, progress) {
    return new Promise((go, stop) => {
      const x = new XMLHttpRequest();
      x.open("POST", "/v1/photos");
      for (const [k, v] of Object.entries(headers())) x.setRequestHeader(k, v);
      x.responseType = "json";
      x.upload.onprogress = e => e.lengthComputable && progress(e.loaded / e.total);
      x.onerror = () => stop(new Error("The server does not answer. Is it still running?"));
      x.onabort = () => stop(new DOMException("", "AbortError"));
      x.onload = async () => {
        if (x.status === 200 || x.status === 201) return go(x.response);
        if (x.status === 401 || x.status === 429) {
          /* a token is asked for and waiting is done in one place */
          const form = new FormData();
          form.append("file", file);
          return ask("/v1/photos", { method: "POST", body: form, signal }).then(r => r.json()).then(go, stop);
        }
        stop(await failed(new Response(JSON.stringify(x.response || {}), { status: x.status, statusText: x.statusText })));
      };
      signal.addEventListener("abort", () => x.abort());
      const form = new FormData();
      form.append("file", file, file.name);
      x.send(form);
    });
  }
  const fields = (settings, form) => {
    for (const [name, value] of Object.entries(settings)) if (value !== "" && value !== undefined && value !== null) form.append(name, value);
    return form;
  };
  return {
    askToken: null,
    models: async () => (await ask("/v1/models")).json(),
    upload,
    photo: async id => (await ask("/v1/photos/" + id + "/picture")).blob(),
    forget: id => ask("/v1/photos/" + id, { method: "DELETE" }).catch(() => {}),
    estimate: async (width, height, settings, signal) => (await ask("/v1/estimate?" + fields(settings, new URLSearchParams({ width, height })), { signal })).json(),
    /* A cut-out (or what `output` says) as { blob, headers }. */
    async cut(request, photo, settings, output, hints, signal) {
      const form = fields(settings, new FormData());
      form.append("photo", photo);
      form.append("output", output);
      if (hints) form.append("hints", hints, "hints.png");
      const response = await ask("/v1/cut", { method: "POST", body: form, signal, headers: { "X-Request-Id": request } });
      return { blob: await response.blob(), headers: response.headers };
    },
    progress: async request => (await ask("/v1/requests/" + request)).json(),
    cancel: request => ask("/v1/requests/" + request, { method: "DELETE" }).catch(() => {}),
  };
})();
