// Prints what AsyncAPI's own parser says about a document, and ends with 1 when anything of it is an error.
import { fileURLToPath } from 'node:url';
import { Parser, fromFile } from '@asyncapi/parser';

const [file] = process.argv.slice(2);
if (!file) {
  console.error(`usage: node ${fileURLToPath(import.meta.url)} FILE`);
  process.exit(2);
}
const { document, diagnostics } = await fromFile(new Parser(), file).parse();
for (const { severity, message, path } of diagnostics) {
  console.log(`${['error', 'warning', 'information', 'hint'][severity]} ${path.join('/')}: ${message}`);
}
const errors = diagnostics.filter(({ severity }) => severity === 0);
if (!document || errors.length > 0) {
  process.exit(1);
}
console.log(`${document.channels().all().length} channels, ${document.messages().all().length} messages`);
