import { html, render, useEffect, useReducer, useRef, useState } from './preact-htm.js';

const shownAtOnce = 100;
const mostFinished = 10000;
const pollInterval = 2000;
const pollsUntilNextTry = 15; // for events

// What stays here when the page is left; a browser that keeps nothing may refuse even the question.
let kept = {};
try {
    kept = localStorage;
} catch {
    // Then until the page is left.
}

// What the daemon says.

class Refusal extends Error {
    constructor(status, answer) {
        super(answer?.detail || `The daemon answered ${status}`);
        this.status = status;
    }
}

// Once in a while: where a balancer has both daemons under one address, the page may come from the other again.
function goToTheActiveOne() {
    const last = Number(history.state?.reloadedAt ?? 0);
    if (Date.now() - last < 10000) return;
    history.replaceState({ reloadedAt: Date.now() }, '');
    location.reload();
}

async function ask(method, path, body) {
    const response = await fetch(path, {
        method,
        credentials: 'same-origin',
        redirect: 'manual',
        headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
    });
    // Only a daemon that is no longer the active one sends elsewhere, where this page may not ask; the new one has its own.
    if (response.type === 'opaqueredirect') {
        goToTheActiveOne();
        throw new Refusal(303, { detail: 'Another daemon is the active one' });
    }
    const text = await response.text();
    let answer = null;
    try {
        answer = text ? JSON.parse(text) : null;
    } catch {
        // An error page of a proxy: the status tells enough.
    }
    if (response.status === 401 && path !== '/api/auth') tasks.needsLogin();
    if (!response.ok) throw new Refusal(response.status, answer);
    return { answer, status: response.status, task: response.headers.get('X-Task-Id') };
}

// All tasks that are known, from events or from polling. Whoever looks is told at most once a frame.
const tasks = {
    byId: new Map(),
    marks: new Map(), // where a task's progress was when it was first seen: what its rate is reckoned from
    state: 'connecting', // 'live', 'polling', 'login', 'lost'
    problem: '',
    listeners: new Set(),
    frame: 0,
    timer: 0,
    source: null,
    generation: 0,
    held: null, // events that came while the list was read: the list may be older than they are
    isWhole: false, // whether the list was read since the events began

    changed() {
        if (!this.frame)
            this.frame = requestAnimationFrame(() => {
                this.frame = 0;
                for (const listener of this.listeners) listener();
            });
    },

    // An answer may arrive after events that are newer than it; what is finished stays so.
    put(task) {
        if (task.state !== 'finished' && this.byId.get(task.id)?.state === 'finished') return;
        this.byId.set(task.id, task);
        if (task.state !== 'running') this.marks.delete(task.id);
        else {
            const mark = this.marks.get(task.id);
            if (!mark || task.progress < mark.last) this.marks.set(task.id, { at: Date.now(), from: task.progress, last: task.progress });
            else mark.last = task.progress;
        }
    },

    // Oldest first out, so that a page that is open for weeks does not grow.
    trim() {
        const finished = [...this.byId.values()].filter((task) => task.state === 'finished');
        if (finished.length <= mostFinished) return;
        for (const task of finished.sort(byEnd).slice(mostFinished)) this.byId.delete(task.id);
    },

    async read() {
        const held = (this.held = []);
        try {
            const { answer } = await ask('GET', '/api/task?detail=1');
            this.byId.clear();
            for (const task of [...answer.executing_tasks, ...answer.finished_tasks]) this.put(task);
            for (const id of this.marks.keys()) if (!this.byId.has(id)) this.marks.delete(id);
        } finally {
            if (this.held === held) this.held = null;
            for (const task of held) this.put(task);
        }
        this.changed();
    },

    stop() {
        this.generation += 1;
        clearTimeout(this.timer);
        this.source?.close();
        this.source = null;
    },

    start() {
        this.stop();
        const source = new EventSource('/api/task/events');
        this.source = source;
        this.isWhole = false;
        // The first event says whether the list is to be read: not when the daemon knows what we missed.
        source.onopen = () => this.isWhole && this.become('live');
        source.addEventListener('reset', () => this.readWhileLive());
        source.addEventListener('task', (event) => {
            const task = JSON.parse(event.data);
            if (this.held) return this.held.push(task);
            this.put(task);
            if (this.byId.size > mostFinished * 1.2) this.trim();
            this.changed();
        });
        source.onerror = () => {
            if (this.source !== source) return;
            if (source.readyState === EventSource.CLOSED) this.poll(this.generation, pollsUntilNextTry);
            else this.become('lost');
        };
    },

    async readWhileLive() {
        const generation = this.generation;
        this.isWhole = false;
        try {
            await this.read();
            if (generation !== this.generation) return;
            this.isWhole = true;
            this.become('live');
        } catch (problem) {
            if (generation !== this.generation || this.state === 'login') return;
            this.become('lost', problem.message);
            this.timer = setTimeout(() => this.readWhileLive(), pollInterval);
        }
    },

    async poll(generation, pollsLeft) {
        if (generation !== this.generation) return;
        if (pollsLeft === 0) return this.start();
        try {
            await this.read();
            if (generation === this.generation) this.become('polling');
        } catch (problem) {
            if (generation === this.generation && this.state !== 'login') this.become('lost', problem.message);
        }
        if (generation === this.generation) this.timer = setTimeout(() => this.poll(generation, pollsLeft - 1), pollInterval);
    },

    become(state, problem = '') {
        this.state = state;
        this.problem = problem;
        this.changed();
    },

    needsLogin() {
        if (this.state === 'login') return;
        this.stop();
        this.byId.clear();
        this.marks.clear();
        delete kept.user;
        this.become('login');
    },
};

// Words and times.

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const Time = ({ utc }) => utc ? html`<time datetime=${utc} title=${`${utc} (UTC)`}>${local.format(new Date(utc))}</time>` : '–';

function span(seconds) {
    if (seconds == null || !isFinite(seconds)) return '–';
    if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
    if (seconds < 60) return `${Math.round(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// Percent a second as far as this page saw it, or null.
function rateOf(task) {
    const mark = tasks.marks.get(task.id);
    if (!mark || mark.last <= mark.from) return null;
    return (mark.last - mark.from) / Math.max((Date.now() - mark.at) / 1000, 0.001);
}

function subjectOf(task) {
    const about = task.metadata || {};
    if (about.image_spec) return about.image_spec;
    if (about.image_id_spec) return about.image_id_spec;
    if (about.image_name) return [about.pool_name, about.namespace, about.image_name].filter(Boolean).join('/');
    return about.pool_name || about.command?.prefix || '';
}

const outcomeOf = (task) => (task.state !== 'finished' ? task.state : task.success ? 'success' : task.exception?.code === '125' ? 'cancelled' : 'failed');
const byEnd = (a, b) => (a.end_time < b.end_time ? 1 : a.end_time > b.end_time ? -1 : 0);
const byBegin = (a, b) => (a.begin_time < b.begin_time ? 1 : a.begin_time > b.begin_time ? -1 : 0);
const linkTo = (task) => `#/task/${task.id}`;

// Parts.

function Problem({ text }) {
    return text ? html`<p role="alert" class="problem">${text}</p>` : null;
}

function Cancel({ task, tell }) {
    const [asked, setAsked] = useState(false);
    const cancel = async () => {
        setAsked(true);
        try {
            tasks.put((await ask('DELETE', `/api/task/${task.id}`)).answer);
            tasks.changed();
            tell('');
        } catch (problem) {
            setAsked(false);
            tell(problem.message);
        }
    };
    return html`<button class="secondary" disabled=${asked} onClick=${cancel}
        aria-label=${`Cancel ${task.name} ${subjectOf(task)}`}>${asked ? 'Cancelling' : 'Cancel'}</button>`;
}

// The stream tells of each change among the first ten, further back now and then.
const placeInLine = (position) => position === 1 ? 'next in line' : `${position > 10 ? 'about ' : ''}${position - 1} before it`;

function Progress({ task }) {
    const rate = rateOf(task);
    const words = [`${task.progress} %`];
    if (task.state === 'queued') words[0] = 'queued';
    if (rate) words.push(`${rate.toFixed(rate < 1 ? 2 : 1)} %/s`, `${span((100 - task.progress) / rate)} left`);
    if (task.waiting_for) words.push(task.waiting_for);
    if (task.queue_position) words.push(placeInLine(task.queue_position));
    return html`<progress max="100" value=${task.progress} aria-label=${`Progress of ${task.name} ${subjectOf(task)}`}></progress>
        <small>${words.join(' · ')}</small>`;
}

function Executing({ list, tell }) {
    const [shown, setShown] = useState(shownAtOnce);
    if (!list.length) return html`<p>Nothing is being done.</p>`;
    return html`<ul class="tasks">${list.slice(0, shown).map((task) => html`<li key=${task.id}>
            <div><a href=${linkTo(task)}>${task.name}</a> <span>${subjectOf(task)}</span></div>
            <div><${Progress} task=${task} /></div>
            <div><${Cancel} task=${task} tell=${tell} /></div></li>`)}</ul>
        ${list.length > shown && html`<button class="secondary" onClick=${() => setShown(shown + shownAtOnce)}>
            Show more (${list.length - shown})</button>`}`;
}

function Finished({ list, total, offset, setOffset }) {
    if (!total) return html`<p>Nothing is listed.</p>`;
    return html`<ul class="tasks">${list.map((task) => html`<li key=${task.id} class=${outcomeOf(task)}>
            <div><a href=${linkTo(task)}>${task.name}</a> <span>${subjectOf(task)}</span></div>
            <div><strong>${outcomeOf(task)}</strong> <small>${task.exception?.detail}</small></div>
            <div><${Time} utc=${task.end_time} /> <small>took ${span(task.duration)}</small></div></li>`)}</ul>
        ${total > shownAtOnce && html`<nav aria-label="Pages" class="pages">
            <button class="secondary" disabled=${offset === 0} onClick=${() => setOffset(Math.max(0, offset - shownAtOnce))}>Newer</button>
            <span>${offset + 1}–${offset + list.length} of ${total}</span>
            <button class="secondary" disabled=${offset + list.length >= total} onClick=${() => setOffset(offset + shownAtOnce)}>Older</button>
            </nav>`}`;
}

function Filter({ search, setSearch, state, setState, states }) {
    return html`<form role="search" class="filter" onSubmit=${(event) => event.preventDefault()}>
        <label>Search <input type="search" value=${search} onInput=${(event) => setSearch(event.target.value)} /></label>
        <label>State <select value=${state} onChange=${(event) => setState(event.target.value)}>
            <option value="">all</option>${states.map((one) => html`<option value=${one}>${one}</option>`)}</select></label></form>`;
}

function TasksPage() {
    const [search, setSearch] = useState('');
    const [state, setState] = useState('');
    const [offset, setOffset] = useState(0);
    const [problem, tell] = useState('');
    const wanted = search.toLowerCase();
    const fits = (task) => (!state || outcomeOf(task) === state) &&
        (!wanted || `${task.name} ${subjectOf(task)} ${task.id} ${task.exception?.detail || ''}`.toLowerCase().includes(wanted));
    const all = [...tasks.byId.values()].filter(fits);
    const executing = all.filter((task) => task.state !== 'finished').sort(byBegin);
    const finished = all.filter((task) => task.state === 'finished').sort(byEnd);
    const from = offset < finished.length ? offset : 0;
    return html`<${Filter} ...${{ search, setSearch, state, setState }} states=${['queued', 'running', 'success', 'failed', 'cancelled']} />
        <${Problem} text=${problem} />
        <section aria-labelledby="executing"><h2 id="executing">Executing (${executing.length})</h2>
            <${Executing} list=${executing} tell=${tell} /></section>
        <section aria-labelledby="finished"><h2 id="finished">Finished (${finished.length})</h2>
            <${Finished} list=${finished.slice(from, from + shownAtOnce)} total=${finished.length} offset=${from} setOffset=${setOffset} /></section>`;
}

function HistoryPage() {
    const [search, setSearch] = useState('');
    const [state, setState] = useState('');
    const [offset, setOffset] = useState(0);
    const [found, setFound] = useState({ tasks: [], total: 0 });
    const [problem, tell] = useState('');
    useEffect(() => setOffset(0), [search, state]);
    useEffect(() => {
        let isCurrent = true;
        const timer = setTimeout(async () => {
            const query = new URLSearchParams({ search, state, limit: shownAtOnce, offset });
            try {
                const { answer } = await ask('GET', `/api/task/history?${query}`);
                if (isCurrent) setFound(answer), tell('');
            } catch (refusal) {
                if (isCurrent) tell(refusal.message);
            }
        }, 200);
        return () => {
            isCurrent = false;
            clearTimeout(timer);
        };
    }, [search, state, offset]);
    return html`<h2>History</h2>
        <${Filter} ...${{ search, setSearch, state, setState }} states=${['success', 'failed']} />
        <${Problem} text=${problem} />
        <${Finished} list=${found.tasks} total=${found.total} offset=${offset} setOffset=${setOffset} />`;
}

function TaskPage({ id }) {
    const [read, setRead] = useState(null);
    const [problem, tell] = useState('');
    const known = tasks.byId.get(id);
    useEffect(() => {
        ask('GET', `/api/task/${id}`).then(({ answer }) => setRead(answer), async (refusal) => {
            if (refusal.status !== 404) return tell(refusal.message);
            // No longer listed: the history finds it by its id.
            try {
                const { answer } = await ask('GET', `/api/task/history?${new URLSearchParams({ search: id, limit: shownAtOnce })}`);
                const found = answer.tasks.find((task) => task.id === id);
                found ? setRead(found) : tell('There is no such task.');
            } catch (other) {
                tell(other.message);
            }
        });
    }, [id]);
    const task = known || read;
    if (!task) return html`<${Problem} text=${problem} />`;
    return html`<h2>${task.name} ${subjectOf(task)}</h2><${Problem} text=${problem} />
        ${task.state !== 'finished' && html`<${Progress} task=${task} /><p><${Cancel} task=${task} tell=${tell} /></p>`}
        ${task.exception && html`<section aria-label="Error" class="problem"><strong>Error ${task.exception.code}</strong> ${task.exception.detail}</section>`}
        <dl><dt>State</dt><dd>${outcomeOf(task)}</dd><dt>Accepted</dt><dd><${Time} utc=${task.begin_time} /></dd>
            <dt>Started</dt><dd><${Time} utc=${task.started_at} /></dd>
            ${task.stalled_since && html`<dt>Stalled since</dt><dd><${Time} utc=${task.stalled_since} /></dd>`}
            <dt>Ended</dt><dd><${Time} utc=${task.end_time} /></dd><dt>Took</dt><dd>${span(task.duration)}</dd>
            <dt>Attempts</dt><dd>${task.attempts ?? '–'}</dd><dt>Id</dt><dd><code>${id}</code></dd></dl>
        <h3 id="arguments">Arguments</h3><pre tabindex="0" aria-labelledby="arguments">${JSON.stringify(task.metadata, null, 2)}</pre>`;
}

// A form whose button asks the daemon for something, and says what came of it.
function Asking({ title, button, send, children }) {
    const [problem, tell] = useState('');
    const [done, setDone] = useState(null);
    const [busy, setBusy] = useState(false);
    const submit = async (event) => {
        event.preventDefault();
        setBusy(true);
        setDone(null);
        try {
            setDone(await send(new FormData(event.target)));
            tell('');
        } catch (refusal) {
            tell(refusal.message);
        }
        setBusy(false);
    };
    return html`<form onSubmit=${submit} aria-label=${title}><h2>${title}</h2>${children}<${Problem} text=${problem} />
        <p role="status">${done && html`${done.status === 202 ? 'Under way' : 'Done'}${done.task && html`: <a href=${`#/task/${done.task}`}>its task</a>`}`}</p>
        <button aria-busy=${busy} disabled=${busy}>${button}</button></form>`;
}

function ImagesPage() {
    const create = (form) => ask('POST', '/api/block/image', {
        pool_name: form.get('pool'), name: form.get('name'), size: Math.round(Number(form.get('size')) * 2 ** 30),
        ...(form.get('namespace') ? { namespace: form.get('namespace') } : {}) });
    const remove = (form) => {
        if (!confirm(`Remove ${form.get('image')} and all that is in it?`)) throw new Error('Nothing was removed.');
        return ask('DELETE', `/api/block/image/${encodeURIComponent(form.get('image'))}?snapshots=refuse`);
    };
    return html`<${Asking} title="Create an image" button="Create" send=${create}>
            <label>Pool <input name="pool" required /></label><label>Namespace, if any <input name="namespace" /></label>
            <label>Name <input name="name" required /></label>
            <label>Size in GiB <input name="size" type="number" min="0.001" step="any" value="1" required /></label><//>
        <${Asking} title="Remove an image" button="Remove" send=${remove}>
            <label>Image, as pool/name or pool/namespace/name <input name="image" required /></label><//>`;
}

function LoginPage() {
    const login = async (form) => {
        const answer = await ask('POST', '/api/auth', { username: form.get('username'), password: form.get('password') });
        kept.user = form.get('username');
        tasks.become('connecting');
        tasks.start();
        return answer;
    };
    return html`<${Asking} title="Log in" button="Log in" send=${login}>
        <label>User <input name="username" autocomplete="username" required /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label><//>`;
}

// The token is in a cookie that scripts do not see, so what tells that somebody is logged in is what the login left.
function Logout() {
    const [problem, tell] = useState('');
    const logout = () => ask('POST', '/api/auth/logout').then(() => tasks.needsLogin(), (refusal) => tell(refusal.message));
    return kept.user && html`<p class="state">${problem || kept.user}<button class="secondary" onClick=${logout}>Log out</button></p>`;
}

const states = { connecting: 'Connecting', live: 'Live', polling: 'Read every 2 s', lost: 'The daemon does not answer', login: 'Not logged in' };

function Page() {
    const [, redraw] = useReducer((count) => count + 1, 0);
    const main = useRef(null);
    const where = location.hash.slice(1) || '/';
    useEffect(() => {
        const move = () => {
            redraw();
            main.current?.focus();
        };
        tasks.listeners.add(redraw);
        addEventListener('hashchange', move);
        tasks.start();
        return () => {
            tasks.listeners.delete(redraw);
            removeEventListener('hashchange', move);
            tasks.stop();
        };
    }, []);
    const id = where.startsWith('/task/') ? where.slice('/task/'.length) : '';
    const current = (path) => (where === path ? 'page' : undefined);
    return html`<header><h1>Ceph tasks</h1><nav aria-label="Pages of this site"><ul>
            <li><a href="#/" aria-current=${current('/')}>Tasks</a></li><li><a href="#/history" aria-current=${current('/history')}>History</a></li>
            <li><a href="#/images" aria-current=${current('/images')}>Images</a></li></ul></nav>
            <p role="status" class=${`state ${tasks.state}`}>${states[tasks.state]}${tasks.problem && `: ${tasks.problem}`}</p>
            <${Logout} /></header>
        <main tabindex="-1" ref=${main}>${tasks.state === 'login' ? html`<${LoginPage} />`
            : id ? html`<${TaskPage} key=${id} id=${id} />` : where === '/history' ? html`<${HistoryPage} />`
            : where === '/images' ? html`<${ImagesPage} />` : html`<${TasksPage} />`}</main>`;
}

render(html`<${Page} />`, document.getElementById('page'));
