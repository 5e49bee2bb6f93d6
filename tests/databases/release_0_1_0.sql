-- A deployment's database as release 0.1.0 wrote it, before its schema had a version.
BEGIN TRANSACTION;
CREATE TABLE event (
	sequence INTEGER NOT NULL, 
	event_id CHAR(32) NOT NULL, 
	learner VARCHAR(31) NOT NULL, 
	kind VARCHAR(50) NOT NULL, 
	occurred_at VARCHAR(32) NOT NULL, 
	subject VARCHAR(250) NOT NULL, 
	data JSON NOT NULL, 
	CONSTRAINT pk_event PRIMARY KEY (sequence), 
	CONSTRAINT uq_event_event_id UNIQUE (event_id)
);
INSERT INTO "event" VALUES(1,'00000000000000000000000000000001','ada','quiz.answered','2026-11-24T09:05:00.000000+00:00','tables/axis','{"answer": "b", "points": 1, "max_points": 1, "right": true, "attempt": 1}');
CREATE TABLE member (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR(31) NOT NULL, 
	display_name VARCHAR(80) NOT NULL, 
	email VARCHAR(254) NOT NULL, 
	role VARCHAR(8) NOT NULL CONSTRAINT ck_member_role CHECK (role IN ('learner', 'trainer', 'admin')), 
	removed_at VARCHAR(32), 
	password_hash VARCHAR(200), 
	session_epoch INTEGER NOT NULL, 
	last_seen_at VARCHAR(32), 
	invitation_sha256 VARCHAR(64), 
	invitation_expires_at VARCHAR(32), 
	invitation_used_at VARCHAR(32), 
	CONSTRAINT uq_member_name UNIQUE (name), 
	CONSTRAINT uq_member_invitation_sha256 UNIQUE (invitation_sha256)
);
INSERT INTO "member" VALUES(1,'ada','Ada Lovelace','ada@example.com','learner',NULL,'$argon2id$v=19$a-hash',1,NULL,'60153749dcea984608c20e81e87de14b3ae3fed7d1eebf0de61512d0413e0b9c','2026-12-08T09:00:00.000000+00:00','2026-11-24T09:00:00.000000+00:00');
INSERT INTO "member" VALUES(2,'ben','Ben','','learner','2026-11-24T13:26:29.683096+00:00',NULL,1,NULL,NULL,NULL,NULL);
INSERT INTO "member" VALUES(3,'tia','Tia','tia@example.com','trainer',NULL,NULL,0,NULL,NULL,NULL,NULL);
CREATE TABLE released_assignment (
	number INTEGER NOT NULL, 
	assignment VARCHAR(100) NOT NULL, 
	title VARCHAR(300) NOT NULL, 
	due_at VARCHAR(32), 
	released_at VARCHAR(32) NOT NULL, 
	notebooks JSON NOT NULL, 
	CONSTRAINT pk_released_assignment PRIMARY KEY (number), 
	CONSTRAINT uq_released_assignment_assignment UNIQUE (assignment)
);
INSERT INTO "released_assignment" VALUES(1,'tables','Tables','2026-12-01T09:00:00.000000+00:00','2026-11-24T09:00:00.000000+00:00','["lesson", "exercises"]');
CREATE TABLE submission (
	number INTEGER NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	learner VARCHAR(64) NOT NULL, 
	assignment VARCHAR(100) NOT NULL, 
	received_at VARCHAR(32) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	files JSON NOT NULL, 
	stored_bytes INTEGER NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	problem TEXT NOT NULL, 
	claims INTEGER NOT NULL, 
	not_before VARCHAR(32), 
	points FLOAT, 
	max_points FLOAT, 
	feedback_at VARCHAR(32), 
	marks_released BOOLEAN NOT NULL, 
	feedback_due INTEGER NOT NULL, 
	CONSTRAINT pk_submission PRIMARY KEY (number), 
	CONSTRAINT uq_submission_id UNIQUE (id)
);
INSERT INTO "submission" VALUES(1,'b4e656e2-066b-424b-833b-eef727ff47f9','ada','tables','2026-11-24T10:00:00.000000+00:00','ae2e41f9b72146e41a9200e450a6bc52a0c8931aa0fa2f64d0b25f53a6a924ac','[{"path": "exercises.ipynb", "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "size_bytes": 2}]',4096,'graded','',1,NULL,3.5,4.0,'2026-11-24T10:01:00.000000+00:00',0,0);
INSERT INTO "submission" VALUES(2,'baaecf03-84cc-46ce-bbc8-13fe51f2e209','ada','tables','2026-11-24T11:00:00.000000+00:00','ae2e41f9b72146e41a9200e450a6bc52a0c8931aa0fa2f64d0b25f53a6a924ac','[{"path": "exercises.ipynb", "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "size_bytes": 2}]',4096,'received','',0,NULL,NULL,NULL,NULL,0,0);
CREATE INDEX ix_event_learner_kind ON event (learner, kind);
CREATE INDEX ix_submission_state ON submission (state);
CREATE INDEX ix_submission_feedback_due ON submission (feedback_due);
CREATE INDEX ix_submission_learner_assignment ON submission (learner, assignment, number);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('member',3);
COMMIT;
