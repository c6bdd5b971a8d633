"""Nodes for administrators, and the recount of a document's receipts for its clerks."""

import uuid
from typing import Any

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from directory.controllers.authentication import CALLER, Caller, requires, scope
from docflow.documents.controllers import convert_all
from docflow.documents.schemas import Reason
from docflow.gateways.node import keys
from docflow.routing.nodes import notes, own, peers, receipts, reconciling, residence
from docflow.routing.nodes import schemas as wire
from docflow.routing.nodes.controllers.exchange import ExchangeController

GOVERN = [scope("directory:write"), requires("administrator")]
LOOK = [scope("directory:read"), requires("administrator", "clerk")]
READ = [scope("documents:read")]
FOUNDED = {"refusals": ("409",)}
"""Refused until this installation is a node."""


def _node(row: dict[str, Any]) -> wire.NodeView:
    return msgspec.convert(row, wire.NodeView)


class NodeController(Controller):
    """This node, the others, and who lives where."""

    path = "/api/v1/nodes"
    tags = ("nodes",)
    dependencies = CALLER

    @get("/", guards=LOOK, summary="Nodes")
    async def list_nodes(self, actor: Caller) -> list[wire.NodeView]:
        """Ours first, each with its keys and how many organizations live there."""
        return [_node(row) for row in await peers.listed(actor)]

    @post("/own", guards=GOVERN, summary="Make this installation a node")
    async def found(self, data: JSONBody[wire.NodeInput], actor: Caller) -> wire.NodeMade:
        """Its first key is made; done again it answers the same node."""
        node_id = await own.found(actor, name=data.name, base_url=data.base_url)
        known = await own.key_infos(node_id)
        return wire.NodeMade(node_id, [keys.fingerprint(one.kid) for one in known])

    @post("/own/keys", guards=GOVERN, summary="Make the next key")
    async def rotate(self, data: JSONBody[wire.RotationInput], actor: Caller) -> wire.Fingerprint:
        """Other nodes learn of it by a statement; both keys are good until the old one ends."""
        made = wire.Fingerprint(await own.rotate(actor, starts_at=data.starts_at))
        await residence.announce()
        return made

    @post("/own/residents", guards=GOVERN, status_code=200, summary="These live here")
    async def serve(self, data: JSONBody[wire.ServeInput], actor: Caller) -> wire.Number:
        """Every other node is told; who lives elsewhere becomes a dispute."""
        return wire.Number(await residence.serve(actor, selector=data.selector))

    @post("/own/residents/release", guards=GOVERN, status_code=200, summary="These moved away")
    async def release(self, data: JSONBody[wire.ReleaseInput], actor: Caller) -> wire.Number:
        """Where they live now, their new node says."""
        return wire.Number(await residence.release(actor, data.organizations))

    @post("/", guards=GOVERN, summary="Enter another node")
    async def enroll(self, data: JSONBody[wire.PeerInput], actor: Caller) -> wire.NodeMade:
        """It is asked who it is; nothing is exchanged until a fingerprint is confirmed."""
        node_id, fingerprints = await peers.enroll(
            actor, base_url=data.base_url, allow_private=data.allow_private
        )
        return wire.NodeMade(node_id, fingerprints)

    @post("/{node_id:uuid}/confirm", guards=GOVERN, status_code=204, summary="Confirm a node's key")
    async def confirm(
        self, node_id: FromPath[uuid.UUID], data: JSONBody[wire.FingerprintInput], actor: Caller
    ) -> None:
        """The fingerprint was compared with the one that node's administrator reads out."""
        await peers.confirm(actor, node_id, fingerprint=data.fingerprint)
        await residence.announce()

    @post("/{node_id:uuid}/suspend", guards=GOVERN, status_code=204, summary="Stop the exchange")
    async def suspend(
        self, node_id: FromPath[uuid.UUID], data: JSONBody[Reason], actor: Caller
    ) -> None:
        """Messages for it wait; its own are refused. Confirming a key resumes."""
        await peers.suspend(actor, node_id, reason=data.reason)

    @post("/keys/{kid:str}/revoke", guards=GOVERN, status_code=204, summary="Revoke a key")
    async def revoke(self, kid: FromPath[str], actor: Caller) -> None:
        """It is not accepted any more, from this moment."""
        await peers.revoke_key(actor, kid)

    @post("/{node_id:uuid}/reconcile", guards=GOVERN, status_code=200, summary="After a restore")
    async def reconcile(
        self, node_id: FromPath[uuid.UUID], data: JSONBody[wire.ReconcileInput], actor: Caller
    ) -> wire.ReconcileView:
        """Asks that node what it has of ours since the backup; each sends what the other lost."""
        found = await reconciling.ask(actor, node_id, since=data.since)
        return msgspec.convert(found, wire.ReconcileView, from_attributes=True)

    @get("/lost", guards=GOVERN, opt=FOUNDED, summary="Documents a restore has lost")
    async def lost(self, actor: Caller) -> list[wire.LostView]:
        """Messages of ours that other nodes have and this one does not know."""
        return convert_all(wire.LostView, await reconciling.lost(actor))

    @get("/conflicts", guards=LOOK, summary="Disputes over residence")
    async def conflicts(self, actor: Caller) -> list[wire.ConflictView]:
        """Organizations that two nodes claim, the undecided first."""
        return convert_all(wire.ConflictView, await residence.conflicts(actor))

    @post("/conflicts/{conflict_id:uuid}/decide", guards=GOVERN, status_code=204, summary="Decide")
    async def decide(
        self, conflict_id: FromPath[uuid.UUID], data: JSONBody[wire.DecisionInput], actor: Caller
    ) -> None:
        """With which node the organization lives; the same claims do not open it again."""
        await residence.decide(actor, conflict_id, for_node=data.for_node)

    @get("/notes", guards=GOVERN, opt=FOUNDED, summary="Notes that wait")
    async def stuck(self, actor: Caller) -> list[wire.NoteView]:
        """Reports, recalls and statements a node has not answered, with the reason."""
        return convert_all(wire.NoteView, await notes.stuck(actor))

    @post("/notes/{note_id:uuid}/retry", guards=GOVERN, status_code=204, summary="Send again")
    async def retry(self, note_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """The same bytes under the same uid, now."""
        await notes.retry(actor, note_id)


class RecountController(Controller):
    """What signed receipts say of a document's deliveries."""

    path = "/api/v1/documents/{document_id:uuid}/recount"
    tags = ("routing",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Recount from raw receipts")
    async def recount(self, document_id: FromPath[uuid.UUID], actor: Caller) -> wire.RecountView:
        """Every signature is checked again; says whether it agrees with the control list."""
        return wire.RecountView(**await receipts.recount(actor, document_id))


CONTROLLERS = (ExchangeController, NodeController, RecountController)
"""For the list of controllers in `litestar_app`."""
