"""Google's own clients of Pub/Sub and Secret Manager over gRPC, and a stub of those services.

usage: rpc.py serve PORT
       rpc.py flow ADDRESS
       rpc.py flow -
       rpc.py CALL -

`serve` is no server of Google's: it keeps names of topics and secrets, and prints each call that arrives with its
credential. A flow or a call goes to the stub itself at ADDRESS, or with `-` to Google's own hosts, by the proxy that the
environment names and with the token in `TOKEN`. It prints what came, or the error that the client raises.
"""

import os
import sys
from concurrent import futures

import grpc
from google.api_core import exceptions
from google.cloud import pubsub_v1, secretmanager_v1
from google.iam.v1 import iam_policy_pb2
from google.oauth2.credentials import Credentials
from google.protobuf import empty_pb2
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1 import types as pubsub
from google.cloud.secretmanager_v1 import types as secrets
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport

TOPIC = "projects/acme/topics/orders"
SECRET = "projects/acme/secrets/db"


def say(*words):
    print(*words, flush=True)


class Stub(grpc.GenericRpcHandler):
    """A few methods, by what they are called with and what they answer."""

    def __init__(self):
        self.topics = {}
        publisher, manager = "/google.pubsub.v1.Publisher/", "/google.cloud.secretmanager.v1.SecretManagerService/"
        self.methods = {
            publisher + "CreateTopic": (pubsub.Topic, self.create),
            publisher + "GetTopic": (pubsub.GetTopicRequest, lambda asked: self.topics[asked.topic]),
            publisher + "ListTopics": (pubsub.ListTopicsRequest, lambda _: pubsub.ListTopicsResponse(topics=list(self.topics.values()))),
            publisher + "DeleteTopic": (pubsub.DeleteTopicRequest, self.delete),
            publisher + "Publish": (pubsub.PublishRequest, lambda asked: pubsub.PublishResponse(message_ids=["7"] * len(asked.messages))),
            manager + "CreateSecret": (secrets.CreateSecretRequest, lambda asked: secrets.Secret(name=f"{asked.parent}/secrets/{asked.secret_id}")),
            manager + "AccessSecretVersion": (
                secrets.AccessSecretVersionRequest,
                lambda asked: secrets.AccessSecretVersionResponse(name=asked.name, payload={"data": b"s3cret"}),
            ),
        }

    def create(self, topic):
        self.topics[topic.name] = topic
        return topic

    def delete(self, asked):
        del self.topics[asked.topic]
        return empty_pb2.Empty()

    def service(self, call):
        told = dict(call.invocation_metadata)
        say("arrived", call.method, told.get("authorization"))
        if call.method == "/google.pubsub.v1.Subscriber/StreamingPull":
            return grpc.stream_stream_rpc_method_handler(
                self.pull, pubsub.StreamingPullRequest.deserialize, pubsub.StreamingPullResponse.serialize
            )
        if call.method not in self.methods:
            return None
        takes, answer = self.methods[call.method]

        def answered(asked, context):
            try:
                return answer(asked)
            except KeyError:
                context.abort(grpc.StatusCode.NOT_FOUND, "there is none")

        def written(message):
            of = type(message)
            return of.serialize(message) if hasattr(of, "serialize") else message.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(answered, takes.deserialize, written)

    def pull(self, asking, context):
        for asked in asking:
            message = {"ack_id": "a", "message": {"data": asked.subscription.encode()}}
            yield pubsub.StreamingPullResponse(received_messages=[message])
            return


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((Stub(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


class Clients:
    def __init__(self, address):
        def of(client, transport):
            if address == "-":
                return client(credentials=Credentials(os.environ["TOKEN"]))
            return client(transport=transport(channel=grpc.insecure_channel(address)))

        self.publisher = of(pubsub_v1.PublisherClient, PublisherGrpcTransport)
        self.subscriber = of(SubscriberClient, SubscriberGrpcTransport)
        self.secrets = of(secretmanager_v1.SecretManagerServiceClient, SecretManagerServiceGrpcTransport)


def create(clients):
    say("created", clients.publisher.create_topic(request={"name": TOPIC, "labels": {"team": "carts"}}).labels["team"])


def listed(clients):
    say("topics", [topic.name for topic in clients.publisher.list_topics(request={"project": "projects/acme"})])


def publish(clients):
    say("published", clients.publisher.publish(TOPIC, b"x", a="b").result(timeout=30))


def pull(clients):
    asking = iter([pubsub.StreamingPullRequest(subscription="projects/acme/subscriptions/s", stream_ack_deadline_seconds=10)])
    for answer in clients.subscriber.streaming_pull(asking):
        say("pulled", answer.received_messages[0].message.data.decode())


def delete(clients):
    clients.publisher.delete_topic(request={"topic": TOPIC})
    say("deleted")


def missing(clients):
    try:
        clients.publisher.get_topic(request={"topic": TOPIC})
    except exceptions.NotFound as error:
        say("NotFound", error.message)


def keep(clients):
    made = clients.secrets.create_secret(request={"parent": "projects/acme", "secret_id": "db", "secret": {"replication": {"automatic": {}}}})
    say("kept", made.name)


def read_out(clients):
    answer = clients.secrets.access_secret_version(request={"name": f"{SECRET}/versions/1"})
    say("read", answer.payload.data.decode())


def grant(clients):
    binding = {"role": "roles/pubsub.publisher", "members": ["allUsers"]}
    clients.publisher.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=TOPIC, policy={"bindings": [binding]}))
    say("granted")


FLOW = (create, listed, publish, pull, keep, read_out, delete, missing)
CALLS = {call.__name__: call for call in (*FLOW, grant)}


def main():
    name, where = sys.argv[1:]
    if name == "serve":
        return serve(where)
    clients = Clients(where)
    try:
        for call in FLOW if name == "flow" else [CALLS[name]]:
            call(clients)
    except exceptions.GoogleAPICallError as error:
        say(type(error).__name__, error.message)


if __name__ == "__main__":
    main()
