"""Google's own clients in front of Google's own emulators: a day's work, one line a step.

    emulator.py WHAT DAY ADDRESS     # straight to the emulator
    emulator.py WHAT DAY -           # to Google's hosts, by the proxy of the environment, with the token in `TOKEN`

WHAT is `pubsub` (over gRPC), `rest` (Pub/Sub over REST), `spanner` or `bigtable`; DAY is `day`, or `denied` for its changes one by
one. Lines have no identifiers and times, so that two runs can be held against each other.
"""

import os
import sys

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials
from googleapiclient.errors import HttpError

what, day, where = sys.argv[1:]
direct = where != "-"
if direct:
    for service in ("PUBSUB", "SPANNER", "BIGTABLE"):
        os.environ[f"{service}_EMULATOR_HOST"] = where
credentials = AnonymousCredentials() if direct else Credentials(os.environ["TOKEN"])
PROJECT = "acme"


def say(*words):
    print(*words, flush=True)


def tell(name, call):
    try:
        value = call()
    except exceptions.GoogleAPICallError as error:
        value = f"{type(error).__name__} {error.message if day == 'denied' else ''}".strip()
    except HttpError as error:
        value = f"HttpError {error.resp.status} {error.reason if day == 'denied' else ''}".strip()
    say(f"{name}: {value}")


def pubsub():
    from google.cloud import pubsub_v1

    own = {} if direct else {"credentials": credentials}
    publisher, subscriber = pubsub_v1.PublisherClient(**own), pubsub_v1.SubscriberClient(**own)
    project, topic, feed = f"projects/{PROJECT}", f"projects/{PROJECT}/topics/orders", f"projects/{PROJECT}/subscriptions/feed"
    held = []

    def pull():
        answer = subscriber.pull(request={"subscription": feed, "max_messages": 10})
        held.extend(one.ack_id for one in answer.received_messages)
        return sorted(one.message.data.decode() for one in answer.received_messages)

    return [
        ("create", lambda: publisher.create_topic(request={"name": topic, "labels": {"team": "carts"}}).labels["team"]),
        ("again", lambda: publisher.create_topic(request={"name": topic})),
        ("subscribe", lambda: subscriber.create_subscription(request={"name": feed, "topic": topic}).ack_deadline_seconds),
        ("publish", lambda: len(publisher.publish(topic, b"one", kind="a").result(30))),
        ("pull", pull),
        ("ack", lambda: subscriber.acknowledge(request={"subscription": feed, "ack_ids": held})),
        ("topics", lambda: [one.name for one in publisher.list_topics(request={"project": project})]),
        ("feeds", lambda: list(publisher.list_topic_subscriptions(request={"topic": topic}))),
        ("deadline", lambda: subscriber.update_subscription(request={
            "subscription": {"name": feed, "ack_deadline_seconds": 30}, "update_mask": {"paths": ["ack_deadline_seconds"]},
        }).ack_deadline_seconds),
        ("unsubscribe", lambda: subscriber.delete_subscription(request={"subscription": feed})),
        ("delete", lambda: publisher.delete_topic(request={"topic": topic})),
        ("gone", lambda: publisher.get_topic(request={"topic": topic})),
    ]


def rest():
    from googleapiclient.discovery import build

    options = {"api_endpoint": f"http://{where}"} if direct else {}
    api = build("pubsub", "v1", credentials=credentials, client_options=options, cache_discovery=False).projects()
    project, topic, feed = f"projects/{PROJECT}", f"projects/{PROJECT}/topics/bills", f"projects/{PROJECT}/subscriptions/bills"
    message = {"messages": [{"data": "b25l"}]}
    return [
        ("create", lambda: sorted(api.topics().create(name=topic, body={"labels": {"a": "b"}}).execute()["labels"])),
        ("subscribe", lambda: api.subscriptions().create(name=feed, body={"topic": topic}).execute()["topic"]),
        ("publish", lambda: len(api.topics().publish(topic=topic, body=message).execute()["messageIds"])),
        ("pull", lambda: [one["message"]["data"] for one in api.subscriptions().pull(
            subscription=feed, body={"maxMessages": 5}).execute().get("receivedMessages", [])]),
        ("topics", lambda: [one["name"] for one in api.topics().list(project=project).execute().get("topics", [])]),
        ("delete", lambda: api.topics().delete(topic=topic).execute()),
        ("unsubscribe", lambda: api.subscriptions().delete(subscription=feed).execute()),
        ("gone", lambda: api.topics().get(topic=topic).execute()),
    ]


def spanner():
    from google.cloud import spanner as library

    client = library.Client(project=PROJECT, credentials=credentials)
    instance = client.instance("shop", f"projects/{PROJECT}/instanceConfigs/emulator-config", display_name="Shop", node_count=1)
    database = instance.database("orders", ddl_statements=["CREATE TABLE o (id INT64, what STRING(9)) PRIMARY KEY (id)"])

    def write():
        with database.batch() as batch:
            batch.insert("o", ["id", "what"], [(1, "bread"), (2, "milk")])

    def read():
        with database.snapshot() as snapshot:
            return [tuple(row) for row in snapshot.execute_sql("SELECT id, what FROM o ORDER BY id")]

    def alter():
        database.update_ddl(["ALTER TABLE o ADD COLUMN n INT64"]).result(30)

    return [
        ("instance", lambda: instance.create().result(30).display_name),
        ("database", lambda: database.create().result(30).name),
        ("write", write),
        ("read", read),
        ("update", lambda: database.run_in_transaction(lambda at: at.execute_update("UPDATE o SET what = 'rye' WHERE id = 1"))),
        ("read", read),
        ("alter", alter),
        ("databases", lambda: [one.name for one in instance.list_databases()]),
        ("drop", lambda: database.drop()),
        ("delete", lambda: instance.delete()),
        ("instances", lambda: [one.name for one in client.list_instances()]),
    ]


def bigtable():
    from google.cloud import bigtable as library

    client = library.Client(project=PROJECT, credentials=None if direct else credentials, admin=True)
    table = client.instance("shop").table("carts")

    def write(*sums):
        rows = [table.direct_row(f"row-{at}".encode()) for at in range(len(sums))]
        for row, of in zip(rows, sums):
            row.set_cell("f", b"sum", of)
        if len(rows) > 1:
            return [status.code for status in table.mutate_rows(rows)]
        rows[0].commit()

    def read():
        return [(row.row_key, row.cell_value("f", b"sum")) for row in table.read_rows()]

    def count():
        row = table.append_row(b"row-0")
        row.append_cell_value("f", b"sum", b"!")
        return sorted(row.commit())

    return [
        ("create", lambda: table.create(column_families={"f": None})),
        ("tables", lambda: [one.table_id for one in client.instance("shop").list_tables()]),
        ("family", lambda: table.column_family("g").create()),
        ("families", lambda: sorted(table.list_column_families())),
        ("write", lambda: write(b"12")),
        ("read", read),
        ("append", count),
        ("write many", lambda: write(b"1", b"2", b"3")),
        ("read", read),
        ("keys", lambda: len(list(table.sample_row_keys())) > 0),
        ("empty", lambda: table.truncate(timeout=30)),
        ("read", read),
        ("delete", lambda: table.delete()),
    ]


# What a day is made of that only looks.
LOOKS = ("topics", "feeds", "databases", "instances", "tables", "families", "read", "keys", "gone", "pull")

for name, step in {"pubsub": pubsub, "rest": rest, "spanner": spanner, "bigtable": bigtable}[what]():
    if day == "day" or name not in LOOKS:
        tell(name, step)
