// Parses queries by LogQL's own grammar, which Grafana publishes as @grafana/lezer-logql.
//
//   node logql.mjs FOLDER-WITH-NODE_MODULES QUERY...
import path from "node:path";
import { pathToFileURL } from "node:url";

const [tools, ...queries] = process.argv.slice(2);
const grammar = path.join(tools, "node_modules/@grafana/lezer-logql/index.es.js");
const { parser } = await import(pathToFileURL(grammar));

for (const query of queries) {
  parser.parse(query).iterate({
    enter: ({ type, from }) => {
      if (!type.isError) return;
      console.error(`${query}\n${" ".repeat(from)}^ is no LogQL`);
      process.exitCode = 1;
    },
  });
}
