// Builds static/css/portal.css, icons.svg, vendored files and their compressed siblings.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { transform } from "lightningcss";
import postcss from "postcss";
import { PurgeCSS } from "purgecss";
import { safelist } from "./safelist.mjs";

const modules = "node_modules";
const OWN = ["fonts", "tokens", "tabler", "layout", "components", "pages", "print"];
const read = (path) => readFileSync(path, "utf8");

const written = [];
function write(path, text) {
  const raw = Buffer.from(text);
  const gz = gzipSync(raw, { level: 9 }); // Node writes mtime 0: the same input gives the same bytes
  const br = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  writeFileSync(path, raw);
  writeFileSync(`${path}.gz`, gz);
  writeFileSync(`${path}.br`, br);
  written.push([path, raw.length, gz.length, br.length]);
}

// Tabler knows light and dark as attributes only. Dark rules move into @media screen, so that paper
// is always white, and get a twin for data-bs-theme="auto" that follows the operating system.
const DARK = /\[data-bs-theme="?dark"?\]/g;
const FOREIGN = /navbar-theme|theme-dark|\[data-theme|body\[data-bs-theme/;

function splitThemes(root) {
  const rules = [];
  root.walkRules((rule) => void rules.push(rule)); // first all, since what is inserted must not be met again
  for (const rule of rules) splitRule(rule);
}

function splitRule(rule) {
  const kept = rule.selectors.filter((selector) => !FOREIGN.test(selector));
  if (kept.length === 0) return rule.remove();
  const dark = kept.filter((selector) => selector.match(DARK) && !selector.includes(":not("));
  if (kept.length !== rule.selectors.length) rule.selectors = kept;
  if (dark.length === 0) return undefined;
  const onScreen = postcss.atRule({ name: "media", params: "screen" });
  onScreen.append(rule.clone({ selectors: dark }));
  const bySystem = postcss.atRule({ name: "media", params: "screen and (prefers-color-scheme: dark)" });
  bySystem.append(rule.clone({ selectors: dark.map((s) => s.replace(DARK, "[data-bs-theme=auto]")) }));
  rule.after(bySystem);
  rule.after(onScreen);
  const light = kept.filter((selector) => !dark.includes(selector));
  if (light.length === 0) return rule.remove();
  rule.selectors = light;
  return undefined;
}

function dropUnusedVariables(root) {
  for (;;) {
    const used = new Set();
    root.walkDecls((decl) => {
      for (const [, name] of decl.value.matchAll(/var\(\s*(--[\w-]+)/g)) used.add(name);
    });
    let dropped = 0;
    root.walkDecls(/^--tblr-/, (decl) => {
      if (used.has(decl.prop)) return;
      decl.remove();
      dropped += 1;
    });
    if (dropped === 0) break;
  }
  root.walkRules((rule) => {
    if (rule.nodes.length === 0) rule.remove();
  });
  root.walkAtRules("media", (rule) => {
    if (rule.nodes.length === 0) rule.remove();
  });
}

async function buildCss() {
  const [{ css }] = await new PurgeCSS().purge({
    content: ["../../templates/**/*.html", "../../portal/web/**/*.py", "../js/*.js"],
    css: [{ raw: read(`${modules}/@tabler/core/dist/css/tabler.css`) }],
    safelist,
    keyframes: true,
    defaultExtractor: (text) => text.match(/[\w-]+/g) ?? [],
  });
  const own = OWN.map((name) => read(`css/${name}.css`)).join("\n");
  const root = postcss.parse(`${css.replace(/@charset[^;]*;/, "")}\n${own}`);
  splitThemes(root);
  dropUnusedVariables(root);
  const { code } = transform({ filename: "portal.css", code: Buffer.from(root.toString()), minify: true });
  const notice = "/*! Contains Tabler 1.6.1 (MIT, see vendor/LICENSES.txt) */\n";
  write("../css/portal.css", `@charset "UTF-8";${notice}${code}`);
}

function buildIcons() {
  const symbols = read("icons.txt").trim().split("\n").map((name) => {
    const svg = read(`${modules}/@tabler/icons/icons/outline/${name}.svg`);
    const shapes = svg.match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1].replace(/\s*\n\s*/g, "").replace(/ \/>/g, "/>");
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`;
  });
  const notice = "<!-- Tabler Icons 3.51.0, MIT, see vendor/LICENSES.txt -->";
  write("../icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${notice}\n${symbols.join("\n")}\n</svg>\n`);
}

function copyVendored() {
  mkdirSync("../vendor", { recursive: true });
  mkdirSync("../fonts", { recursive: true });
  write("../vendor/htmx.min.js", read(`${modules}/htmx.org/dist/htmx.min.js`));
  for (const name of readdirSync("../js").filter((file) => file.endsWith(".js"))) {
    write(`../js/${name}`, read(`../js/${name}`));
  }
  write("../favicon.svg", read("../favicon.svg"));
  const files = `${modules}/@fontsource-variable/inter/files`;
  copyFileSync(`${files}/inter-latin-wght-normal.woff2`, "../fonts/inter-5.3.0-latin.woff2");
  copyFileSync(`${files}/inter-latin-ext-wght-normal.woff2`, "../fonts/inter-5.3.0-latin-ext.woff2");
  copyFileSync(`${modules}/@fontsource-variable/inter/LICENSE`, "../fonts/LICENSE-OFL.txt");
  const axe = "../../tests/browser/vendor";
  mkdirSync(axe, { recursive: true });
  copyFileSync(`${modules}/axe-core/axe.min.js`, `${axe}/axe.min.js`);
  copyFileSync(`${modules}/axe-core/LICENSE`, `${axe}/LICENSE-axe-core.txt`);
}

mkdirSync("../css", { recursive: true });
copyVendored();
buildIcons();
await buildCss();
for (const [path, ...sizes] of written) console.log(path.padEnd(26), sizes.join(" / "));
