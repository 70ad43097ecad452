"""An authorization server of Authlib's, for clients in their own name: by a secret in a header or a form, or by a signature.

    oauth_server.py PORT_FILE PUBLIC_KEYS

PUBLIC_KEYS is a JSON object of PEM public keys by client. Tokens say in their answer that they last three seconds, and are
numbered.
"""

import json
import sys
from pathlib import Path

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from flask import Flask
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server

KEYS = json.loads(Path(sys.argv[2]).read_text())
ISSUED = []
SEEN = set()


class Client(ClientMixin):
    """A client, and the one way by which it may show itself."""

    def __init__(self, name, method, secret=None):
        self.client_id, self.method, self.secret = name, method, secret

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return " ".join(word for word in (scope or "").split() if word == "cluster")

    def check_client_secret(self, client_secret):
        return self.secret is not None and self.secret == client_secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


CLIENTS = {
    client.client_id: client
    for client in [
        Client("in header", "client_secret_basic", "se+cret: &%"),
        Client("in-form", "client_secret_post", "a-secret"),
        *(Client(name, JWTBearerClientAssertion.CLIENT_AUTH_METHOD) for name in KEYS),
    ]
}


class Assertion(JWTBearerClientAssertion):
    """Tokens that clients sign, each taken once."""

    def validate_jti(self, claims, jti):
        fresh = (claims["sub"], jti) not in SEEN
        SEEN.add((claims["sub"], jti))
        return fresh

    def get_audiences(self):
        return [url]

    def resolve_client_public_key(self, client):
        kind = {"rsa": RSAKey, "curve": ECKey}[client.client_id]
        return KeySet([kind.import_key(KEYS[client.client_id], {"kid": f"key-of-{client.client_id}"})])


class Grant(grants.ClientCredentialsGrant):
    """Tokens for a client itself."""

    TOKEN_ENDPOINT_AUTH_METHODS = [
        "client_secret_basic",
        "client_secret_post",
        JWTBearerClientAssertion.CLIENT_AUTH_METHOD,
    ]


def token(grant_type, client, user=None, scope=None, **_):
    ISSUED.append(client.client_id)
    scope = client.get_allowed_scope(scope)
    text = f"token-{len(ISSUED)}-of-{client.client_id.replace(' ', '_')}-for-{scope or 'nothing'}"
    return {"token_type": "Bearer", "access_token": text, "expires_in": 3}


app = Flask(__name__)
authorization = AuthorizationServer(app, query_client=CLIENTS.get, save_token=lambda token, request: None)
authorization.register_token_generator("default", token)
authorization.register_grant(Grant)


@app.post("/token")
def issue():
    return authorization.create_token_response()


server = make_server("127.0.0.1", 0, app, threaded=True)
url = f"http://127.0.0.1:{server.server_port}/token"
authorization.register_client_auth_method(JWTBearerClientAssertion.CLIENT_AUTH_METHOD, Assertion())
Path(sys.argv[1]).write_text(str(server.server_port))
server.serve_forever()
