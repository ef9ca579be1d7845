// What the page asks its server. Every address begins with the token that the page itself was opened with.
const base = new URL(".", location.href).pathname;
let session = null;

async function ask(method, path, body, type) {
  const headers = type ? { "content-type": type } : {};
  const answer = await fetch(base + path, { method, body, headers });
  if (answer.ok) return answer.headers.get("content-type")?.startsWith("application/json") ? answer.json() : null;
  let error = answer.statusText;
  try {
    error = (await answer.json()).error ?? error;
  } catch { /* not from the program itself */ }
  throw Object.assign(new Error(error), { status: answer.status });
}

const own = (method, path, body, type) => ask(method, `sessions/${session}${path}`, body, type);
const json = (method, path, values) => own(method, path, JSON.stringify(values), "application/json");

export const api = {
  // The session of this tab: the one that it had, if the program still knows it.
  async begin() {
    const known = sessionStorage.getItem(base);
    if (known) {
      session = known;
      try {
        return await own("GET", "");
      } catch (error) {
        if (error.status !== 404) throw error;
      }
    }
    session = (await ask("POST", "sessions")).session;
    sessionStorage.setItem(base, session);
    return own("GET", "");
  },
  // Calls `changed` with all that the server knows, now and whenever it changes, and `connected` with whether it can.
  listen(changed, connected) {
    const source = new EventSource(`${base}sessions/${session}/events`);
    source.onmessage = (event) => {
      connected(true);
      changed(JSON.parse(event.data));
    };
    source.onerror = () => connected(false, source.readyState === EventSource.CLOSED);
    addEventListener("pagehide", () => source.close());
  },
  open: (file) => own("PUT", `/photo?name=${encodeURIComponent(file.name || "photo")}`, file),
  addOther: (file) => own("POST", `/others?name=${encodeURIComponent(file.name || "photo")}`, file),
  select: (marks) => json("POST", "/selections", marks),
  paint: (number, strokes) => own("PUT", `/selections/${number}`, strokes, "image/png"),
  // What the page itself wants to find again when it is loaded again; it goes with the tab.
  keep: (values) => sessionStorage.setItem(base + session, JSON.stringify(values)),
  kept: () => JSON.parse(sessionStorage.getItem(base + session) ?? "null"),
  start: (kind, values) => json("POST", `/jobs/${kind}`, values),
  stop: () => own("DELETE", "/jobs"),
  goOn: (number) => own("POST", `/results/${number}`),
  viewOf: (photo) => `${base}sessions/${session}/photos/${photo.number}?${photo.ready ? "view" : "file"}`,
  maskOf: (selection) => `${base}sessions/${session}/selections/${selection.number}?${selection.version}`,
  previewOf: (job) => `${base}sessions/${session}/preview?${job.number}-${job.previews}`,
  resultOf: (number) => `${base}sessions/${session}/results/${number}`,
  fileOf(number, kind, options = {}) {
    return `${base}sessions/${session}/results/${number}/${kind}?${new URLSearchParams(options)}`;
  },
};

export function loadImage(address) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error(address));
    image.src = address;
  });
}
