// Completion out of the JSON Schema of loop.yaml: which keys may stand here, and which values. A sketch that helps while
// typing; the engine alone decides what is right.

interface Node {
    description?: string;
    properties?: Record<string, Node>;
    additionalProperties?: Node | boolean;
    items?: Node;
    anyOf?: Node[];
    oneOf?: Node[];
    enum?: unknown[];
    const?: unknown;
    type?: string | string[];
}

export interface Offer {
    label: string;
    detail: string;
    /** What is written after it. */
    after: string;
}

export interface Completion {
    /** Where the word that is being typed begins, in the line. */
    from: number;
    offers: Offer[];
}

/** What may stand at the end of `line`, below the lines `before`. */
export function complete(schema: Node, before: string[], line: string): Completion | null {
    const value = /^(\s*(?:- )*)([\w-]+):\s+([\w-]*)$/.exec(line);
    if (value) {
        const [, indent = "", key = "", word = ""] = value;
        const nodes = below(at(schema, path(before, indent)), key);
        return { from: line.length - word.length, offers: nodes.flatMap(values) };
    }
    const key = /^(\s*(?:- )*)([\w-]*)$/.exec(line);
    if (!key) return null;
    const [, indent = "", word = ""] = key;
    return { from: line.length - word.length, offers: at(schema, path(before, indent)).flatMap(keys) };
}

/** The keys that lead to a line with this beginning, the outermost first; "-" stands for an item of a list. */
function path(before: string[], beginning: string): string[] {
    const keys: string[] = [];
    let indent = beginning.length;
    if (beginning.includes("-")) keys.unshift("-");
    let dash = beginning.includes("-") ? beginning.indexOf("-") : indent;
    for (const line of before.toReversed()) {
        const found = /^(\s*)((?:- )*)([\w-]+):/.exec(line);
        if (!found) continue;
        const [, blanks = "", dashes = "", key = ""] = found;
        const own = blanks.length + dashes.length;
        if (own < dash || (own === dash && keys[0] === "-" && dashes === "" && own < indent)) {
            keys.unshift(key);
            if (dashes) keys.unshift("-");
            indent = own;
            dash = blanks.length;
        } else if (own === indent && dashes && keys[0] !== "-") {
            keys.unshift("-");
            dash = blanks.length;
        }
        if (indent === 0) break;
    }
    return keys;
}

function at(schema: Node, path: string[]): Node[] {
    return path.reduce<Node[]>((nodes, key) => nodes.flatMap((node) => below([node], key)), alternatives(schema));
}

function below(nodes: Node[], key: string): Node[] {
    return nodes.flatMap((node) => {
        if (key === "-") return node.items ? alternatives(node.items) : [];
        const own = node.properties?.[key];
        const other = typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
        const found = own ?? other;
        return found ? alternatives(found) : [];
    });
}

/** A node with all that it may be instead. */
function alternatives(node: Node): Node[] {
    return [node, ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap(alternatives)];
}

function keys(node: Node): Offer[] {
    return Object.entries(node.properties ?? {}).map(([label, below]) => ({
        label,
        detail: below.description ?? "",
        after: below.properties || below.items ? ":" : ": ",
    }));
}

function values(node: Node): Offer[] {
    const plain = node.type === "boolean" ? [true, false] : [];
    const all = [...(node.enum ?? []), ...(node.const === undefined ? [] : [node.const]), ...plain];
    return all.map((value) => ({ label: String(value), detail: node.description ?? "", after: "" }));
}
