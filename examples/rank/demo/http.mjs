// Plain HTTP with kept connections, as an API server's client would be: enough for 100 callers that all wait.
import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });

const ANSWER_MS = 60_000; // twice the longest wait that is asked for

/** Answers { status, headers, text }. */
export function request(url, { method = 'GET', body, headers = {} } = {}) {
  return new Promise((done, failed) => {
    const call = http.request(url, { method, agent, headers: body ? { 'content-type': 'application/json', ...headers } : headers }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString('utf8') }));
      answer.on('error', failed);
    });
    call.setTimeout(ANSWER_MS, () => call.destroy(new Error(`no answer to ${method} ${url} within ${ANSWER_MS / 1000} s`)));
    call.on('error', failed);
    call.end(body);
  });
}

export async function getJson(url) {
  const answer = await request(url);
  if (answer.status !== 200) throw new Error(`GET ${url}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text);
}

export const closeConnections = () => agent.destroy();
