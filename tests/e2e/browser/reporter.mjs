// What became of each check, in the words of the other suites.
export default async function* report(events) {
    for await (const { type, data } of events) {
        if (data?.nesting !== 0 || data.skip !== undefined || data.file === data.name) continue;
        const seconds = ((data.details?.duration_ms ?? 0) / 1000).toFixed(1);
        if (type === 'test:pass') yield `ok      ${data.name} (${seconds} s)\n`;
        if (type === 'test:fail') {
            const { error } = data.details;
            yield `FAILED  ${data.name} (${seconds} s): ${error.cause?.stack ?? error.cause ?? error}\n`;
        }
    }
}
