import { expect, test } from "vitest";
import { Begun } from "./begun";

const files = (sizes: Record<string, number>) => Object.entries(sizes).map(([name, bytes]) => ({ name, bytes }));

test("the checker's log is shown once the maker's rests", () => {
    const begun = new Begun(files({ "maker-1/stdout": 10 }));
    expect(begun.since(files({ "maker-1/stdout": 20 }), "maker-1/stdout")).toBeNull();
    const both = { "maker-1/stdout": 30, "checker-1/stdout": 5 };
    expect(begun.since(files(both), "maker-1/stdout")).toBeNull();
    expect(begun.since(files(both), "maker-1/stdout")).toBe("checker-1/stdout");
    expect(begun.since(files({ ...both, "checker-1/stdout": 9 }), "checker-1/stdout")).toBeNull();
});

test("an empty log, errors and the runner's own words draw nobody away", () => {
    const begun = new Begun(files({ "maker-1/stdout": 10 }));
    const more = { "maker-1/stdout": 10, "checker-1/stdout": 0, "maker-1/stderr": 7, "runner.err": 9 };
    expect(begun.since(files(more), "maker-1/stdout")).toBeNull();
    expect(begun.since(files({ ...more, "login-2.log": 3 }), "maker-1/stdout")).toBe("login-2.log");
});
