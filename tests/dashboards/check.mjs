// Holds dashboards against the types that Grafana publishes as @grafana/schema: each is
// written down as a literal of its type, and the compiler says what does not belong.
//
//   node check.mjs FOLDER-WITH-NODE_MODULES DASHBOARD.json...
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const [tools, ...files] = process.argv.slice(2);
const schema = "@grafana/schema/dist/esm/raw";

// The options of each kind of panel have types of their own, in modules of these names.
const modules = { stat: "Stat", timeseries: "TimeSeries", bargauge: "BarGauge", table: "Table", logs: "Logs", text: "Text" };
const kinds = Object.keys(modules);
const withCustomFields = ["timeseries", "table"];

const lines = [`import type { Dashboard, Panel, RowPanel } from "${schema}/dashboard/x/Dashboard_types.gen";`];
for (const kind of kinds) {
  const types = withCustomFields.includes(kind)
    ? `Options as ${kind}Options, FieldConfig as ${kind}Field`
    : `Options as ${kind}Options`;
  lines.push(`import type { ${types} } from "${schema}/composable/${kind}/panelcfg/x/${modules[kind]}PanelCfg_types.gen";`);
}

// Enumerations of the schema are texts in JSON.
lines.push(`type Texts<T> = T extends string ? \`\${T}\` : T extends number | boolean | null | undefined ? T
  : T extends (infer E)[] ? Texts<E>[] : T extends object ? { [K in keyof T]: Texts<T[K]> } : T;`);

files.forEach((file, number) => {
  const dashboard = JSON.parse(readFileSync(file, "utf8"));
  const { panels, annotations, ...frame } = dashboard;
  // What an annotation asks is its data source's own, as in the targets of panels.
  frame.annotations = {
    list: annotations.list.map(({ expr, step, titleFormat, textFormat, useValueForTime, ...rest }) => {
      if (!expr) throw new Error(`${file}: the annotation ${rest.name} asks nothing`);
      return rest;
    }),
  };
  const literal = (name, type, value) =>
    lines.push(`// ${file}`, `export const ${name}: Texts<Partial<${type}>> = ${JSON.stringify(value)};`);
  literal(`dashboard${number}`, "Dashboard", frame);
  panels.forEach((panel) => {
    const name = `panel${number}_${panel.id}`;
    if (panel.type === "row") return literal(name, "RowPanel", panel);
    if (!kinds.includes(panel.type)) throw new Error(`${file}: a panel of the kind ${panel.type} is not checked`);
    const { options, ...rest } = panel;
    literal(name, "Panel", rest);
    literal(`${name}_options`, `${panel.type}Options`, options);
    const custom = panel.fieldConfig?.defaults?.custom;
    if (custom) literal(`${name}_field`, `${panel.type}Field`, custom);
  });
});

const folder = mkdtempSync(path.join(tools, "check-"));
try {
  const source = path.join(folder, "dashboards.ts");
  writeFileSync(source, lines.join("\n"));
  execFileSync(
    process.execPath,
    [path.join(tools, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck",
      "--module", "esnext", "--moduleResolution", "bundler", source],
    { stdio: "inherit" },
  );
} catch {
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
