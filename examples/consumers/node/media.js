// Media: id, address, bytes. The address lives for five minutes, so it is asked for when the bytes are wanted and never kept.

import { createHash, randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { judge, Refused } from "./graph.js";

// The largest file WhatsApp carries: a document (Meta, Cloud API: media).
const LARGEST = 100 * 1024 * 1024;
// How often an address that is too old is asked for again.
const ADDRESSES = 3;

// There is no file and never will be: why, in a word.
export class Never extends Error {}
// There is no file now, and why not.
export class NotNow extends Error {}

// Fetches a file into `directory` under its digest, and says how large it is.
export async function fetch(graph, hosts, directory, file) {
  if (file.id === null) {
    throw new Never("media_without_id");
  }
  try {
    for (let n = 0; n < ADDRESSES; n += 1) {
      const found = await lookUp(graph, file.id);
      if (!isPermitted(found.url, hosts)) {
        throw new Never("media_host_not_allowed");
      }
      const promised = [found.sha256, file.sha256].filter((one) => typeof one === "string");
      const length = await graph.download(found.url, async (status, chunks) => {
        // Too old, or never was: they are answered alike.
        if ([403, 404, 410].includes(status)) {
          return null;
        }
        if (status !== 200) {
          throw new NotNow(`status ${status}`);
        }
        return await keep(chunks, promised, directory);
      });
      if (length !== null) {
        return length;
      }
    }
  } catch (error) {
    if (error instanceof Never || error instanceof NotNow) {
      throw error;
    }
    // Not what the error says, which may be the address too.
    throw new NotNow(error.syscall ? `it cannot be written: ${error.code}` : "the connection failed");
  }
  throw new Never("media_expired");
}

async function lookUp(graph, id) {
  const answer = await graph.lookUp(id);
  const found = await answer.json().catch(() => null);
  try {
    judge(answer.status, found);
  } catch (error) {
    throw error instanceof Refused ? new Never("media_gone") : new NotNow(error.message || `status ${answer.status}`);
  }
  return found;
}

// Whether the token may go there: one of the hosts, over TLS unless it is this machine.
export function isPermitted(address, hosts) {
  if (!URL.canParse(address)) {
    return false;
  }
  const url = new URL(address);
  const isEncrypted = url.protocol === "https:" || (url.protocol === "http:" && url.hostname === "127.0.0.1");
  return isEncrypted && hosts.includes(url.host);
}

// Under its digest: twice the same is once, and a file is whole or not there. How large it is.
async function keep(chunks, promised, directory) {
  await mkdir(directory, { recursive: true });
  // A name that no other worker on the same volume has.
  const half = join(directory, `half.${randomUUID()}`);
  const hash = createHash("sha256");
  let length = 0;
  async function* hashed() {
    for await (const chunk of chunks) {
      length += chunk.length;
      if (length > LARGEST) {
        throw new Never("media_too_large");
      }
      hash.update(chunk);
      yield chunk;
    }
  }
  try {
    await writeFile(half, hashed(), { flag: "wx" });
    const digest = hash.digest();
    if (!promised.every((one) => isDigest(one, digest))) {
      throw new Never("media_damaged");
    }
    await rename(half, join(directory, digest.toString("hex")));
    return length;
  } finally {
    await rm(half, { force: true });
  }
}

// Whether a digest, which Meta writes in hex or in base64, is this one.
function isDigest(promised, digest) {
  return promised.toLowerCase() === digest.toString("hex") || promised === digest.toString("base64");
}
