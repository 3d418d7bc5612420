"""Calls Hutch through the package that openapi-python-client writes."""
import io
import sys

from hutch_httpx import AuthenticatedClient, Client
from hutch_httpx.api.auth import login, register
from hutch_httpx.api.items import (
    create_item_v2,
    delete_item_v2,
    export_items,
    get_item_v2,
    import_items,
    list_items_v2,
    update_item_v2,
)
from hutch_httpx.models import ItemNew, ItemPatch, Login, Register
from hutch_httpx.types import File

url = sys.argv[1]
anyone = Client(base_url=url)
account = Register(email="httpx@example.com", username="httpxgen", password="straw-and-carrots-1")
assert register.sync_detailed(client=anyone, body=account).status_code == 201
session = login.sync(client=anyone, body=Login(login="httpxgen", password="straw-and-carrots-1"))
client = AuthenticatedClient(base_url=url, token=session.token)
made = create_item_v2.sync(client=client, body=ItemNew(title="httpx", tags=["wood"]))
assert get_item_v2.sync(made.id, client=client).title == "httpx"
listed = list_items_v2.sync(client=client, where=["tags eq wood", "owner_id eq me"])
assert [it.id for it in listed.data] == [made.id]
changed = update_item_v2.sync(made.id, client=client, body=ItemPatch(title="changed"))
assert changed.title == "changed"
lines = File(payload=io.BytesIO(b'{"title":"imported"}\n'))
assert import_items.sync(client=client, body=lines).created == 1
assert b"imported" in export_items.sync(client=client).payload.read()
assert delete_item_v2.sync_detailed(made.id, client=client).status_code == 204
