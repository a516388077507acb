"""The tables, with the columns that the endpoints use."""
import os

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, DateTime, Float, Integer, LargeBinary, Text, and_, select
from sqlalchemy.dialects.postgresql import JSONB, REAL, UUID
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import declarative_base, defer, foreign, joinedload, relationship, remote, selectinload, sessionmaker

# jit: asyncpg's first query about the types of the database takes a second with it.
engine = create_async_engine(os.environ["PEER_DATABASE"], pool_size=8, max_overflow=0,
                             connect_args={"server_settings": {"role": "lafaek_app", "jit": "off"}})
Session = sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
Base = declarative_base()

TYPES = {"id": UUID(as_uuid=True), "text": Text(), "whole": Integer(), "big": BigInteger(), "real": REAL(), "double": Float(53), "flag": Boolean(),
         "time": DateTime(timezone=True), "bytes": LargeBinary(), "json": JSONB(none_as_null=True), "hashes": ARRAY(LargeBinary()),
         "texts": ARRAY(Text())}


def table(name, key, **columns):
    """A mapped class with columns of TYPES; key names those of the primary key."""
    members = {column: Column(TYPES[kind], primary_key=column in key.split()) for kind, names in columns.items() for column in names.split()}
    return type(name, (Base,), {"__tablename__": name, **members})


def one(target, condition):
    return relationship(target, primaryjoin=condition, uselist=False, viewonly=True)


def many(target, condition, *order):
    """The rows of target about a report."""
    return relationship(target, primaryjoin=and_(remote(foreign(target.report_id)) == Report.id, condition), order_by=order, viewonly=True,
                        uselist=True)


Upload = table("uploads", "id", id="id", text="state blurhash", whole="width height generation")
User = table("users", "id", id="id avatar_upload_id", flag="share_contact", json="notification_prefs", whole="reports_count fixed_reports_count",
             text="email password_hash full_name phone_number country instagram role preferred_language",
             time="email_verified_at suspended_at last_login_at created_at deleted_at")
Agency = table("agencies", "id", id="id", text="code name agency_type")
Municipality = table("municipalities", "code", text="code name name_tet name_pt", texts="aliases")
Boundary = table("boundaries", "id", id="id", text="level name")
Follow = table("report_follows", "report_id user_id", id="report_id user_id")
Confirmation = table("report_confirmations", "report_id user_id", id="report_id user_id")
Analysis = table("ai_analyses", "id", id="id report_id", text="stage damage_type severity recommended_repair", flag="is_relevant",
                 real="relevance_confidence", whole="severity_score", time="created_at")
Image = table("report_images", "id", id="id report_id upload_id", text="kind verdict hidden", time="created_at deleted_at")
Step = table("report_status_history", "id", id="id report_id actor_id agency_id", text="old_status new_status actor_kind note",
             time="created_at", whole="seq")
Candidate = table("duplicate_candidates", "report_id candidate_id", id="report_id candidate_id", real="similarity distance_meters")
Report = table(
    "reports", "id", id="id user_id client_id assigned_agency_id duplicate_of ai_analysis_id",
    text="report_number issue_type issue_type_raw title description severity severity_guess priority status rejection_reason address street suco "
         "district municipality municipality_code ai_status blockchain_status source words_hidden",
    double="latitude longitude", real="location_accuracy", flag="is_anonymous created_offline", json="device_info original_words",
    time="captured_at due_at created_at updated_at resolved_at deleted_at", bytes="content_hash", hashes="accepted_hashes",
    whole="severity_score comments_count confirmations_count followers_count version")
Number = table("report_numbers", "year", whole="year last")
Salt = table("report_salts", "report_id seq", id="report_id", whole="seq", bytes="salt", time="created_at")
Event = table("ledger_events", "id", id="id report_id", whole="seq", text="event_type", bytes="payload payload_hash", time="created_at",
              big="log_index")
LogCounter = table("log_counter", "id", flag="id", big="next")
Notification = table("notifications", "id", id="id user_id report_id", text="type event_key", json="params")
Message = table("outbox", "id", id="id", text="queue", json="body")


def foreign_key(column, target, *more):
    """The condition of a relationship from column to the primary key of target."""
    return and_(foreign(column) == remote(target.id), *more)


User.avatar = one(Upload, foreign_key(User.avatar_upload_id, Upload, Upload.state == "processed"))
Image.upload = one(Upload, foreign_key(Image.upload_id, Upload))
Step.agency = one(Agency, foreign_key(Step.agency_id, Agency))
# An override writes its analysis in the transaction of its step, so both have the same time.
Step.override = one(Analysis, and_(foreign(Step.report_id) == remote(Analysis.report_id), Step.created_at == remote(Analysis.created_at),
                                   Analysis.stage == "override"))
Candidate.report = one(Report, foreign_key(Candidate.candidate_id, Report))
Report.reporter = one(User, foreign_key(Report.user_id, User, User.deleted_at.is_(None)))
Report.agency = one(Agency, foreign_key(Report.assigned_agency_id, Agency))
Report.original = one(Report, foreign_key(Report.duplicate_of, Report))
Report.area = one(Municipality, foreign(Report.municipality_code) == remote(Municipality.code))
Report.analysis = one(Analysis, foreign_key(Report.ai_analysis_id, Analysis))
Report.images = many(Image, Image.deleted_at.is_(None), Image.created_at, Image.id)
Report.steps = many(Step, True, Step.created_at, Step.id)
Report.candidates = many(Candidate, True, Candidate.similarity.desc().nullslast(), Candidate.distance_meters)


def summary_options():
    """What a list reads with each report: one statement, and one for the pictures of the page."""
    unused = (Report.content_hash, Report.accepted_hashes, Report.device_info)
    return [joinedload(Report.reporter).joinedload(User.avatar), joinedload(Report.agency), joinedload(Report.area),
            joinedload(Report.original).load_only(*SHORT),
            selectinload(Report.images).joinedload(Image.upload), *(defer(column) for column in unused)]


def detail_options():
    """What a single report is read with besides."""
    return [joinedload(Report.analysis), selectinload(Report.steps).joinedload(Step.agency),
            selectinload(Report.steps).joinedload(Step.override),
            selectinload(Report.candidates).joinedload(Candidate.report).load_only(*SHORT)]


SHORT = (Report.id, Report.report_number, Report.status, Report.deleted_at)


def personal(me):
    """Columns about a report and the person who reads it."""
    def known(level, name):
        return select(Boundary.id).where(Boundary.level == level, Boundary.name == name).exists()
    return [select(Follow.user_id).where(Follow.report_id == Report.id, Follow.user_id == me).exists(),
            known("suco", Report.suco), known("district", Report.district)]
