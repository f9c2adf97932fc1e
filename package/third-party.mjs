// What others wrote and the programs contain: every crate that is linked into them, C code beside it, and every npm
// package that the windows are built from, with version, licence, where its source is, and each licence's text once.
//   node package/third-party.mjs PROGRAM… >third-party      fails if something has no licence
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const texts = /^(licen[cs]es?|copying|copyright|notice|unlicense)([-._].*)?$/i;
// Not compiled: what a project is tested with, what is for other systems, and variants that are not chosen.
const leftOut = /^(tests?|fuzz|examples|benches|contrib|node_modules|target|sqlcipher|winhttp|zlib-ng|\..*)$/;
const environment = { ...process.env, RUSTUP_AUTO_INSTALL: "0" };
const output = (program, words, cwd) =>
    execFileSync(program, words, { cwd, env: environment, encoding: "utf8", maxBuffer: 2 ** 28 });

/** The crates that are linked into the programs; what only runs while they are built is not in them. */
function crates(programs) {
    const host = /^host: (.*)$/m.exec(output("rustc", ["-vV"]))[1];
    const told = JSON.parse(output("cargo", ["metadata", "--format-version=1", "--locked", "--filter-platform", host]));
    const packages = new Map(told.packages.map((one) => [one.id, one]));
    const nodes = new Map(told.resolve.nodes.map((one) => [one.id, one]));
    const ours = told.packages.filter((one) => programs.includes(one.name) && one.source === null);
    if (ours.length !== programs.length) throw new Error(`not all of ${programs} are here`);
    const [open, linked] = [ours.map((one) => one.id), new Set()];
    while (open.length > 0) {
        const id = open.pop();
        if (linked.has(id) || packages.get(id).targets.some((target) => target.kind.includes("proc-macro"))) continue;
        linked.add(id);
        for (const { pkg, dep_kinds } of nodes.get(id).deps)
            if (dep_kinds.some((one) => one.kind === null)) open.push(pkg);
    }
    return [...linked]
        .map((id) => packages.get(id))
        .filter((one) => one.source !== null)
        .map((one) => ({
            name: `${one.name} ${one.version}`,
            licence: one.license?.replaceAll("/", " OR "),
            source: `https://crates.io/crates/${one.name}/${one.version}`,
            folder: dirname(one.manifest_path),
        }));
}

/** What the windows are built from, and what the compilers of them put in. */
function modules(ui) {
    const told = JSON.parse(output("npm", ["ls", "--all", "--json", "--long", "--omit=dev"], ui));
    const found = new Map();
    const walk = (dependencies) => {
        for (const one of Object.values(dependencies ?? {})) {
            // One that is wanted only beside something else has no folder.
            if (!one.path || !existsSync(one.path)) continue;
            found.set(one.path, one);
            walk(one.dependencies);
        }
    };
    walk(told.dependencies);
    found.set("tailwindcss", {
        ...JSON.parse(readFileSync(join(ui, "node_modules/tailwindcss/package.json"))),
        path: join(ui, "node_modules/tailwindcss"),
    });
    return [...found.values()].map((one) => ({
        name: `${one.name} ${one.version}`,
        licence: one.license,
        source: `https://www.npmjs.com/package/${one.name}/v/${one.version}`,
        folder: one.path,
    }));
}

/** The files with licences in a folder, also of projects that it has in folders below. */
function licences(folder, depth = 4) {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return depth > 0 && !leftOut.test(entry.name) ? licences(path, depth - 1) : [];
        return texts.test(entry.name) && !/\.(rs|[chj]s?|md5|toml|json)$/.test(entry.name) ? [path] : [];
    });
}

function main(programs) {
    const root = dirname(import.meta.dirname);
    const all = [...crates(programs), ...modules(join(root, "ui"))];
    const without = all.filter((one) => !one.licence && licences(one.folder).length === 0);
    if (without.length > 0) throw new Error(`no licence is named by ${without.map((one) => one.name).join(", ")}`);
    all.sort((one, other) => (one.name < other.name ? -1 : 1));
    const found = new Map();
    for (const one of all)
        for (const path of licences(one.folder)) {
            const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n").trim();
            const key = createHash("sha256").update(text.replaceAll(/\s+/g, " ")).digest("hex");
            const known = found.get(key) ?? { text, of: new Set() };
            found.set(key, { ...known, of: known.of.add(`${one.name}: ${path.slice(one.folder.length + 1)}`) });
        }
    const head = "The programs of this package contain the following, each under the licence that stands beside it.";
    const list = all.map((one) => `${one.name}\n    ${one.licence ?? "as its text below says"}\n    ${one.source}`);
    const said = [...found.values()].map(
        ({ text, of }) => `${"=".repeat(80)}\n${[...of].join("\n")}\n${"-".repeat(80)}\n${text}\n`,
    );
    process.stdout.write(`${head}\n\n${list.join("\n")}\n\n${said.join("\n")}`);
}

main(process.argv.slice(2));
