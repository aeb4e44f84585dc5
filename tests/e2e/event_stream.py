"""What a browser's EventSource is to the page: a reader of GET /api/task/events."""

import json

from harness import expect, expect_equal


class EventStream:
    """Asks by the given connection and reads the stream."""

    def __init__(self, connection, last_event_id=None, headers=None):
        self.connection = connection
        headers = {"Accept": "text/event-stream", **(headers or {})}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self.connection.request("GET", "/api/task/events", headers=headers)
        self.response = self.connection.getresponse()
        self.last_event_id = last_event_id
        expect_equal((self.response.status, self.response.headers["Content-Type"]), (200, "text/event-stream"), "answer")

    def next(self):
        """Kind and data of the next event; None when the stream has ended in order."""
        event = {}
        for line in self.response:
            line = line.decode().rstrip("\n")
            if line.startswith(":"):
                continue
            if line:
                field, _, value = line.partition(": ")
                event[field] = value
                continue
            self.last_event_id = event.get("id", self.last_event_id)
            if "event" in event:
                return event["event"], json.loads(event["data"])
            event = {}
        return None

    def until_end_of(self, task_id):
        """What is told of a task, up to its end."""
        told = []
        while not told or told[-1]["state"] != "finished":
            event = self.next()
            expect(event, "the stream ended before the task")
            if event[0] == "task" and event[1]["id"] == task_id:
                told.append(event[1])
        return told

    def close(self):
        self.connection.close()
