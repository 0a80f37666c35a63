// Builds ../static: hashed scripts, styles, fonts, the icon sprite, and manifest.json that names them.
// The same sources and lock file give the same bytes; nothing here asks the network.
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const modules = path.join(here, "node_modules");
const target = path.join(here, "..", "static");
const fresh = `${target}.new`;
const manifest = {};

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 10);

/** Write bytes under a name that carries their hash, and note it in the manifest. */
async function put(name, bytes) {
  const { dir, name: stem, ext } = path.parse(name);
  const hashed = path.posix.join(dir, `${stem}-${hash(bytes)}${ext}`);
  await mkdir(path.join(fresh, dir), { recursive: true });
  await writeFile(path.join(fresh, hashed), bytes);
  manifest[name] = hashed;
}

/** Bundle entry points with esbuild and note what came out of each. */
async function bundle(entryPoints, options) {
  const { metafile } = await build({
    absWorkingDir: here,
    entryPoints,
    outdir: fresh,
    bundle: true,
    minify: true,
    metafile: true,
    legalComments: "none",
    charset: "utf8",
    target: ["chrome111", "firefox113", "safari16.4"],
    entryNames: "[name]-[hash]",
    chunkNames: "parts/[name]-[hash]",
    assetNames: "fonts/vazirmatn-[hash]",
    loader: { ".woff2": "file" },
    logLevel: "warning",
    ...options,
  });
  for (const [file, { entryPoint }] of Object.entries(metafile.outputs)) {
    const output = path.relative(fresh, path.resolve(here, file)).split(path.sep).join("/");
    if (entryPoint) manifest[path.basename(entryPoint)] = output;
    else if (output.endsWith(".woff2")) manifest["fonts/Vazirmatn.woff2"] = output;
  }
}

/** One SVG file with a symbol for every name in icons.txt. */
async function sprite() {
  const names = (await readFile(path.join(here, "icons.txt"), "utf8")).split("\n").filter(Boolean);
  const symbols = await Promise.all(names.map(async (name) => {
    const file = path.join(modules, "@tabler/icons/icons/outline", `${name}.svg`);
    const drawing = await readFile(file, "utf8").catch(() => {
      throw new Error(`icons.txt names "${name}", which @tabler/icons does not have.`);
    });
    const body = drawing
      .replace(/^[^]*?<svg[^>]*>/, "")
      .replace(/<\/svg>\s*$/, "")
      .replace(/<path stroke="none"[^>]*\/>/, "")
      .replace(/\s+/g, " ")
      .trim();
    return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
  }));
  await put("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`);
  await put("icons.json", `${JSON.stringify(names)}\n`);
}

/** The licence texts of everything we ship to the browser. */
async function notices() {
  const { dependencies } = JSON.parse(await readFile(path.join(here, "package.json"), "utf8"));
  const parts = [];
  for (const name of Object.keys(dependencies).sort()) {
    const folder = path.join(modules, name);
    const { version, license } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^(licen[cs]e|ofl)/i.test(entry));
    const text = file ? await readFile(path.join(folder, file), "utf8") : "";
    parts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  await writeFile(path.join(fresh, "NOTICES.txt"), parts.join(`\n${"-".repeat(78)}\n\n`));
}

/** Fonts for PDF documents keep their plain names: they are opened by path, not by address. */
async function documentFonts() {
  await mkdir(path.join(fresh, "fonts"), { recursive: true });
  for (const weight of ["Regular", "Medium", "Bold"]) {
    const name = `Vazirmatn-${weight}.ttf`;
    await cp(path.join(modules, "vazirmatn/fonts/ttf", name), path.join(fresh, "fonts", name));
    manifest[`fonts/${name}`] = `fonts/${name}`;
  }
}

await rm(fresh, { recursive: true, force: true });
await mkdir(fresh, { recursive: true });
await bundle(["src/app.js"], { format: "esm", splitting: true });
await bundle(["src/theme.js"], { format: "iife" });
await bundle(["src/app.ltr.css", "src/app.rtl.css"]);
await sprite();
await put("favicon.svg", await readFile(path.join(here, "src/favicon.svg")));
await documentFonts();
await notices();
const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
await writeFile(path.join(fresh, "manifest.json"), `${JSON.stringify(sorted, null, 2)}\n`);
await rm(target, { recursive: true, force: true });
await rename(fresh, target);
