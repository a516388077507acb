"""What requests and answers have, and how they are checked."""
from datetime import datetime
from enum import Enum
from typing import Any, Dict, List, Optional
from uuid import UUID

from pydantic import BaseModel, Field

IssueType = Enum("IssueType", {w: w for w in (
    "pothole road_damage flooding drainage street_light traffic_sign bridge sidewalk debris waste water_supply other").split()})
Severity = Enum("Severity", {w: w for w in "low medium high critical".split()})
Status = Enum("Status", {w: w for w in "pending verified in_progress fixed rejected duplicate".split()})

LABELS = {"pothole": "Pothole", "road_damage": "Road damage", "flooding": "Flooding", "drainage": "Drainage",
          "street_light": "Street light", "traffic_sign": "Traffic sign", "bridge": "Bridge", "sidewalk": "Sidewalk",
          "debris": "Debris on the road", "waste": "Waste", "water_supply": "Water supply", "other": "Other"}


class Person(BaseModel):
    id: UUID
    full_name: str
    avatar_url: Optional[str]


class ReportAgency(BaseModel):
    id: UUID
    code: str
    name: str
    agency_type: str


class Original(BaseModel):
    id: UUID
    report_number: str


class Summary(BaseModel):
    id: UUID
    report_number: str
    title: str
    description: str
    content_pending: Optional[bool]
    content_hidden: Optional[bool]
    issue_type: IssueType
    issue_type_raw: Optional[str]
    severity: Optional[Severity]
    severity_score: Optional[int]
    priority: Optional[Severity]
    status: Status
    rejection_reason: Optional[str]
    content_edited: Optional[bool]
    latitude: float
    longitude: float
    location_accuracy: Optional[float]
    address: Optional[str]
    street: Optional[str]
    suco: Optional[str]
    district: Optional[str]
    municipality: Optional[str]
    image_url: Optional[str]
    thumbnail_url: Optional[str]
    blurhash: Optional[str]
    reporter: Optional[Person]
    assigned_agency: Optional[ReportAgency]
    duplicate_of: Optional[Original]
    ai_status: Optional[str]
    blockchain_status: str
    comments_count: int
    confirmations_count: int
    followers_count: int
    following: bool
    client_id: Optional[UUID]
    version: int
    source: str
    created_at: datetime
    updated_at: datetime
    resolved_at: Optional[datetime]
    due_at: Optional[datetime]


class Page(BaseModel):
    items: List[Summary]
    total: int
    page: int
    page_size: int
    total_pages: int
    has_next: bool
    next_cursor: Optional[str]


class Near(Summary):
    distance_meters: float


class NearPage(BaseModel):
    items: List[Near]
    total: int


class Picture(BaseModel):
    id: UUID
    kind: str
    status: str
    is_public: bool
    image_url: Optional[str]
    thumbnail_url: Optional[str]
    width: Optional[int]
    height: Optional[int]
    blurhash: Optional[str]
    created_at: datetime


class Assessment(BaseModel):
    status: str
    is_relevant: Optional[bool]
    confidence: Optional[float]
    damage_type: Optional[str]
    severity: Optional[Severity]
    severity_score: Optional[int]
    recommended_repair: Optional[str]
    analyzed_at: Optional[datetime]


class Anchor(BaseModel):
    status: str
    network: str
    topic_id: Optional[str]
    transaction_id: Optional[str]
    sequence_number: Optional[int]
    consensus_timestamp: Optional[datetime]
    explorer_url: Optional[str]


class StatusStep(BaseModel):
    old_status: Optional[Status]
    new_status: Status
    changed_by: str
    agency: Optional[str]
    agency_name: Optional[str]
    note: Optional[str]
    created_at: datetime


class PossibleDuplicate(BaseModel):
    id: UUID
    report_number: str
    status: Status
    similarity: Optional[float]
    distance_meters: float


class Detail(Summary):
    images: List[Picture]
    ai: Optional[Assessment]
    blockchain: Anchor
    hedera_transaction_id: Optional[str]
    status_history: List[StatusStep]
    possible_duplicates: List[PossibleDuplicate]
    is_anonymous: bool
    captured_at: Optional[datetime]
    confirmed: bool


class ReportCreate(BaseModel):
    client_id: Optional[UUID]
    issue_type: IssueType = IssueType.other
    title: str = Field("", max_length=150)
    description: str = Field("", max_length=2000)
    latitude: float = Field(..., ge=-10.51, le=-7.12)
    longitude: float = Field(..., ge=123.04, le=128.35)
    location_accuracy: Optional[float] = Field(None, ge=0, lt=1_000_000)
    address: Optional[str] = Field(None, max_length=300)
    municipality: Optional[str] = Field(None, max_length=300)
    district: Optional[str] = Field(None, max_length=300)
    suco: Optional[str] = Field(None, max_length=300)
    street: Optional[str] = Field(None, max_length=300)
    severity: Optional[Severity]
    captured_at: Optional[datetime]
    created_offline: bool = False
    device_info: Optional[Dict[str, Any]]
    is_anonymous: bool = False


class Login(BaseModel):
    email: str = Field(..., max_length=320)
    password: str = Field(..., max_length=1024)


class Account(BaseModel):
    id: UUID
    email: str
    full_name: str
    phone_number: Optional[str]
    country: Optional[str]
    instagram: Optional[str]
    role: str
    preferred_language: str
    share_contact: bool
    reports_count: int
    fixed_reports_count: int
    created_at: datetime
    last_login_at: Optional[datetime]
    notification_prefs: Dict[str, Any]

    class Config:
        orm_mode = True


class Tokens(BaseModel):
    access_token: str
    token_type: str
    expires_in: int
    user: Account
