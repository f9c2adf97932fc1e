// Mounts the view that the window asks for: `index.html?view=review`.
import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { start } from "$lib/backend";
import { isView } from "$lib/views";

const asked = new URLSearchParams(location.search).get("view") ?? "review";
const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
await start();
mount(App, { target, props: { view: isView(asked) ? asked : "review" } });
