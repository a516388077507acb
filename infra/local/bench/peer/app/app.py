"""The endpoints that the bench compares, as an ordinary FastAPI application has them."""
import base64
import hashlib
import json
import os
import secrets
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Optional
from uuid import UUID, uuid4

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import and_, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from starlette.concurrency import run_in_threadpool

import models
import present
from models import Confirmation, Event, LogCounter, Message, Municipality, Notification, Number, Report, Salt, Session, Step, User
from schemas import Detail, IssueType, Login, NearPage, Page, ReportCreate, Status, Tokens

SECRET = os.environ["PEER_SECRET"]
MOST = 1_000  # lists count up to it
TIMOR = timezone(timedelta(hours=9))

app = FastAPI(title="Peer")
app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=1)  # 9, the default, takes three times as long
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
municipalities = {}


@app.on_event("startup")
async def start():
    async with Session() as db:
        for m in (await db.execute(select(Municipality))).scalars():
            municipalities.update({name.lower(): m.code for name in (m.code, m.name, m.name_tet, m.name_pt, *m.aliases)})


async def database():
    async with Session() as db:
        yield db


def caller(credentials: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> UUID:
    try:
        return UUID(jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], audience="peer")["sub"])
    except jwt.PyJWTError:
        raise HTTPException(401, "invalid token")


class Sort(str, Enum):
    created_at = "created_at"
    updated_at = "updated_at"


class Order(str, Enum):
    asc = "asc"
    desc = "desc"


def visible(me):
    return and_(Report.deleted_at.is_(None), or_(Report.status != "rejected", Report.user_id == me))


def words(kind, text):
    """A filter of one or several words, separated by commas."""
    try:
        return [kind(word.strip().lower()).value for word in text.split(",")]
    except ValueError:
        raise HTTPException(422, f"unknown {kind.__name__}")


@app.get("/api/v1/reports", response_model=Page, response_model_exclude_unset=True)
async def list_reports(page: int = Query(1, ge=1, le=100_000), page_size: int = Query(20, ge=1, le=100),
                       status: Optional[str] = None, issue_type: Optional[str] = None, sort: Sort = Sort.created_at,
                       order: Order = Order.desc, cursor: Optional[str] = Query(None, max_length=300),
                       me: UUID = Depends(caller), db: models.AsyncSession = Depends(database)):
    conditions = [visible(me)]
    if status:
        conditions.append(Report.status.in_(words(Status, status)))
    if issue_type:
        conditions.append(Report.issue_type.in_(words(IssueType, issue_type)))
    total = await db.scalar(select(func.count()).select_from(select(Report.id).where(*conditions).limit(MOST).subquery()))
    column = getattr(Report, sort.value)
    query = select(Report, *models.personal(me)).where(*conditions)
    if cursor:
        after = decoded(cursor, sort, order)
        position = tuple_(column, Report.id)
        query = query.where(position < after if order is Order.desc else position > after)
    else:
        query = query.offset((page - 1) * page_size)
    by = [column.desc(), Report.id.desc()] if order is Order.desc else [column, Report.id]
    rows = (await db.execute(query.order_by(*by).limit(page_size + 1).options(*models.summary_options()))).all()
    more, rows = len(rows) > page_size, rows[:page_size]
    last = rows[-1][0] if more else None
    return {"items": [present.summary(row[0], me, *row[1:]) for row in rows], "total": total, "page": page, "page_size": page_size,
            "total_pages": -(-total // page_size), "has_next": more,
            "next_cursor": last and encoded(sort, order, getattr(last, sort.value), last.id)}


def encoded(sort, order, at, report):
    raw = json.dumps({"s": sort.value + order.value, "t": at.isoformat(), "i": str(report)})
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decoded(cursor, sort, order):
    try:
        last = json.loads(base64.urlsafe_b64decode(cursor + "=="))
        if last["s"] == sort.value + order.value:
            return datetime.fromisoformat(last["t"]), UUID(last["i"])
    except (ValueError, KeyError, TypeError):
        pass
    raise HTTPException(422, "invalid cursor")


# Others know the place of a pending report to 3 decimals of a degree. Both parts have an index.
HERE = "ST_SetSRID(ST_MakePoint(:longitude, :latitude), 4326)::geography"
PENDING = "(ST_SetSRID(ST_MakePoint(round(r.longitude * 1000) / 1000, round(r.latitude * 1000) / 1000), 4326)::geography)"
NEAREST = """(SELECT r.id, ST_Distance({place}, {here}) AS meters FROM reports r
    WHERE r.deleted_at IS NULL AND (r.status <> 'rejected' OR r.user_id = :me) AND {which} AND ST_DWithin({place}, {here}, :radius) {filters}
    ORDER BY {place} <-> {here} LIMIT 1000)"""


@app.get("/api/v1/reports/nearby", response_model=NearPage, response_model_exclude_unset=True)
async def nearby(latitude: float = Query(..., ge=-90, le=90), longitude: float = Query(..., ge=-180, le=180),
                 radius_meters: float = Query(5_000, gt=0, le=50_000), limit: int = Query(50, ge=1, le=200),
                 status: Optional[str] = None, issue_type: Optional[str] = None,
                 me: UUID = Depends(caller), db: models.AsyncSession = Depends(database)):
    values, filters = {"latitude": latitude, "longitude": longitude, "radius": radius_meters, "me": me, "limit": limit}, ""
    for name, kind, given in (("status", Status, status), ("issue_type", IssueType, issue_type)):
        if given:
            values[name], filters = words(kind, given), f"{filters} AND r.{name} = ANY(:{name})"
    parts = [NEAREST.format(place=place, here=HERE, which=which, filters=filters) for place, which in (
        ("r.position", "r.status <> 'pending'"), (PENDING, "r.status = 'pending'"))]
    found = (await db.execute(text("SELECT id, meters, least(count(*) OVER (), 1000) AS total FROM (" + " UNION ALL ".join(parts) +
                                   ") near ORDER BY meters, id LIMIT :limit"), values)).all()
    query = select(Report, *models.personal(me)).where(Report.id.in_([f.id for f in found])).options(*models.summary_options())
    rows = {row[0].id: row for row in (await db.execute(query)).all()}
    items = []
    for f in found:
        report, *columns = rows[f.id]
        items.append({**present.summary(report, me, *columns), "distance_meters": f.meters})
    return {"items": items, "total": found[0].total if found else 0}


ANCHOR = text("""
    SELECT m.topic_id, m.transaction_id, m.sequence_number, m.consensus_nanos FROM ledger_events e
    LEFT JOIN LATERAL (
      (SELECT 1 AS rank, s.topic_id, s.transaction_id, s.sequence_number, s.consensus_nanos FROM ledger_anchors a
       JOIN ledger_submissions s ON s.id = a.submission_id WHERE a.event_id = e.id AND s.sequence_number IS NOT NULL)
      UNION ALL
      (SELECT 2, topic_id, transaction_id, sequence_number, consensus_nanos FROM log_messages
       WHERE size > e.log_index AND state <> 'failed' ORDER BY size LIMIT 1)
      ORDER BY rank LIMIT 1) m ON true
    WHERE e.seq = 1 AND e.report_id = :id""")


async def read(db, me, condition):
    confirmed = select(Confirmation.user_id).where(Confirmation.report_id == Report.id, Confirmation.user_id == me).exists()
    query = select(Report, confirmed, *models.personal(me)).where(condition)
    row = (await db.execute(query.options(*models.summary_options(), *models.detail_options()))).first()
    if row is None:
        raise HTTPException(404, "report not found")
    report = row[0]
    if (report.deleted_at or report.status == "rejected") and report.user_id != me:
        raise HTTPException(410, "report removed")
    m = (await db.execute(ANCHOR, {"id": report.id})).first()
    at = m and m.consensus_nanos and datetime.fromtimestamp(m.consensus_nanos / 1e9, timezone.utc)
    anchor = {"status": report.blockchain_status, "network": "local", "topic_id": m and m.topic_id, "consensus_timestamp": at,
              "transaction_id": m and m.transaction_id, "sequence_number": m and m.sequence_number,
              "explorer_url": f"https://hashscan.io/local/transaction/{m.transaction_id}" if m and m.transaction_id and m.sequence_number else None}
    return present.detail(report, me, anchor, *row[1:])


@app.get("/api/v1/reports/{ref}", response_model=Detail, response_model_exclude_unset=True)
async def one_report(ref: str, me: UUID = Depends(caller), db: models.AsyncSession = Depends(database)):
    try:
        condition = Report.id == UUID(ref)
    except ValueError:
        condition = Report.report_number == ref.upper()
    return await read(db, me, condition)


@app.post("/api/v1/reports", status_code=201, response_model=Detail, response_model_exclude_unset=True)
async def create(body: ReportCreate, me: UUID = Depends(caller), db: models.AsyncSession = Depends(database)):
    if body.client_id:
        known = await db.scalar(select(Report.id).where(Report.user_id == me, Report.client_id == body.client_id))
        if known:
            return await read(db, me, Report.id == known)
    now, severity = datetime.now(timezone.utc), body.severity.value if body.severity else "medium"
    content = hashlib.sha256(body.json().encode()).digest()
    values = body.dict(exclude={"issue_type", "severity"})
    await db.execute(update(User).where(User.id == me).values(reports_count=User.reports_count + 1)
                     .execution_options(synchronize_session=False))
    year = now.astimezone(TIMOR).year
    number = await db.scalar(insert(Number).values(year=year, last=1).on_conflict_do_update(
        index_elements=["year"], set_={"last": Number.last + 1}).returning(Number.last))
    report = Report(id=uuid4(), report_number=f"LS-{year}-{number:06}", user_id=me, content_hash=content, accepted_hashes=[content],
                    issue_type=body.issue_type.value, severity=severity, severity_guess=body.severity and severity,
                    priority=severity, municipality_code=municipalities.get((body.municipality or "").lower()),
                    status="pending", ai_status="needs_review", blockchain_status="queued", source="app", version=1, comments_count=0,
                    confirmations_count=0, followers_count=0, created_at=now, updated_at=now, **values)
    db.add(report)
    await db.flush()
    place = await db.scalar(update(LogCounter).values(next=LogCounter.next + 1).returning(LogCounter.next - 1)
                            .execution_options(synchronize_session=False))
    payload = json.dumps({"event": "REPORT_SUBMITTED", "report_number": report.report_number, "seq": 1, "ts": now.isoformat(),
                          "issue_type": report.issue_type, "severity": severity, "content": content.hex()},
                         sort_keys=True, separators=(",", ":")).encode()
    notification = uuid4()
    db.add_all([
        Step(id=uuid4(), report_id=report.id, new_status="pending", actor_kind="citizen", actor_id=me, created_at=now, seq=1),
        Event(id=uuid4(), report_id=report.id, seq=1, event_type="REPORT_SUBMITTED", payload=payload,
              payload_hash=hashlib.sha256(payload).digest(), created_at=now, log_index=place),
        Salt(report_id=report.id, seq=1, salt=secrets.token_bytes(32), created_at=now),
        Notification(id=notification, user_id=me, type="report_received", event_key=f"received:{report.id}", report_id=report.id,
                     params={"report_number": report.report_number}),
        Message(id=uuid4(), queue="notify", body={"notification_id": str(notification)}),
        Message(id=uuid4(), queue="geocode", body={"report_id": str(report.id)}),
    ])
    await db.commit()
    db.expunge_all()
    return await read(db, me, Report.id == report.id)


@app.post("/api/v1/auth/login", response_model=Tokens)
async def login(body: Login, db: models.AsyncSession = Depends(database)):
    user = await db.scalar(select(User).where(User.email == body.email.strip().lower(), User.deleted_at.is_(None)))
    if user is None or not user.password_hash or not await run_in_threadpool(matches, user.password_hash, body.password):
        raise HTTPException(401, "invalid credentials")
    if user.suspended_at or not user.email_verified_at:
        raise HTTPException(403, "account not active")
    user.last_login_at = datetime.now(timezone.utc)
    await db.commit()
    claims = {"sub": str(user.id), "aud": "peer", "exp": user.last_login_at + timedelta(hours=1)}
    return {"access_token": jwt.encode(claims, SECRET, "HS256"), "token_type": "bearer", "expires_in": 3600, "user": user}


def matches(stored, password):
    try:
        return hasher.verify(stored, password)
    except VerifyMismatchError:
        return False
