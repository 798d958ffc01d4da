// Asks the server, with the token for what writes; an answer that is no success becomes an Error with its one line.

export const session = { token: "", max_bytes: 0, imports: [], forms: [], sheet: false };

export async function openSession() {
  Object.assign(session, await ask("/api/session"));
}

export async function ask(path, { method = "GET", json, body } = {}) {
  const headers = {};
  if (method !== "GET") headers["x-kapelle-token"] = session.token;
  if (json !== undefined) headers["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: json === undefined ? body : JSON.stringify(json) });
  } catch {
    throw new Error("the studio does not answer; if it was stopped, start it with: kapelle studio");
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.error || `the studio answered ${answer.status}`);
  }
  return answer.headers.get("content-type")?.startsWith("application/json") ? answer.json() : answer.arrayBuffer();
}

// Tells events as they come; after a break everything is asked for anew, since some were missed.
export function listen({ onEvent, onOpen, onLost }) {
  const source = new EventSource("/api/events");
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (event.type === "hello") onOpen();
    else onEvent(event);
  };
  source.onerror = () => {
    onLost();
    // A refused connection is final for the browser, but not for a server that is being started.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen({ onEvent, onOpen, onLost }), 1500);
  };
}
