"""The bucket of uploads (images, documents): private, encrypted, versioned, TLS only."""

from typing import Any

from infra.template.names import logical, physical, ref

BUCKET = "FilesBucket"


def bucket_name(stage: str) -> str | dict[str, str]:
    """Bucket names are global, so on AWS the account and region are part of it."""
    if stage == "local":
        return physical(stage, "files")
    return {"Fn::Sub": f"maalem-{stage}-files-${{AWS::AccountId}}-${{AWS::Region}}"}


def bucket_resources(stage: str) -> dict[str, Any]:
    return {
        BUCKET: {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketName": bucket_name(stage),
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                    ]
                },
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "LifecycleConfiguration": {"Rules": _lifecycle_rules()},
            },
        },
        logical("files", "bucket", "policy"): _tls_only(),
    }


def _lifecycle_rules() -> list[dict[str, Any]]:
    return [
        {
            "Id": "unfinished-uploads",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
        },
        {
            "Id": "old-versions",
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        },
    ]


def _tls_only() -> dict[str, Any]:
    """The one policy that names every action: it denies, and only what comes without TLS."""
    every_object = {"Fn::Sub": "${FilesBucket.Arn}/*"}
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": ref(BUCKET),
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "TlsOnly",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [{"Fn::GetAtt": [BUCKET, "Arn"]}, every_object],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    }
                ],
            },
        },
    }
