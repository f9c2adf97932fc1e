import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { complete } from "./schema";

const path = new URL("../../../../loops/core/schema/loop.schema.json", import.meta.url);
const schema = JSON.parse(readFileSync(path, "utf8"));
const labels = (before: string[], line: string): string[] =>
    (complete(schema, before, line)?.offers ?? []).map((offer) => offer.label);

test("keys of the top, of a mapping, of a step", () => {
    expect(labels(["name: x"], "tri")).toContain("timezone");
    expect(labels(["name: x", "guardrails:"], "  ")).toContain("max_iterations");
    expect(labels(["name: x", "guardrails:"], "  ")).not.toContain("timezone");
    expect(labels(["steps:"], "  - ")).toContain("discover");
    expect(labels(["steps:", "  - discover:"], "      ")).toContain("write_to");
    expect(labels(["steps:", "  - discover:", "      run: open_issues", "", "  - act:"], "      ")).toContain("spawn");
});

test("values of a key", () => {
    expect(labels(["name: x"], "battery: ")).toEqual(["run", "skip", "wait"]);
    expect(labels(["name: x"], "wake: t")).toEqual(["true", "false"]);
    expect(complete(schema, [], "battery: wa")?.from).toBe(9);
});

test("nothing is offered in comments and phrases", () => {
    expect(complete(schema, [], "# tri")).toBeNull();
    expect(labels(["name: x"], 'trigger: cron("')).toEqual([]);
});
