"""What message ids mean, in Chinese and English: reasons, next steps, commands' details. Devices send ids, people read words.

An id nobody has written words for is shown as it is, marked as unknown: a newer device must not make a page fail.
"""

from collections.abc import Mapping

from fleet.watch.words_of_parts import PARTS

MESSAGES: dict[str, tuple[str, str]] = {
    # What the fleet itself finds.
    "broker.down": ("消息服务（MQTT）中断，所有设备状态不明", "The MQTT broker is down; nothing is known of any device"),
    "device.offline": ("设备失联", "Disconnected"),
    "device.silent": ("设备没有声音，状态不明", "Silent; its state is unknown"),
    "device.never_heard": ("设备配对后从未上线", "Never heard from since it was paired"),
    "hall.unreachable": ("全厅设备同时失联，应为上联网络或电源中断", "All devices of the hall are away at once: uplink or power"),
    "face.down": ("屏幕程序没有运行", "The screen program is not running"),
    "face.hung": ("屏幕程序没有反应", "The screen program does not respond"),
    "face.starting": ("屏幕程序启动过久", "The screen program takes too long to start"),
    "evidence.full": ("评价存储已满，评价暂停", "Rating storage is full; rating is paused"),
    "evidence.low": ("评价存储剩余 {free}", "Rating storage has {free} left"),
    "clock.untrusted": ("时钟未校准，记录带“未校准”标记", "The clock is not set; records are marked as such"),
    "custody.backlog": ("{entries} 条记录等待上传", "{entries} records wait to be sent"),
    "custody.dropped": (
        "运维记录因空间不足丢弃 {entries} 条（评价不受影响）",
        "{entries} operations records were dropped for space (no ratings)",
    ),
    "configuration.pending": ("新配置尚未生效", "The new configuration is not applied yet"),
    "content.pending": ("内容包 {version} 尚未生效", "Content pack {version} is not shown yet"),
    "paper.soon": ("纸卷两天内用完", "The roll of paper ends within two days"),
    "disk.low": ("磁盘仅剩 {free}", "The disk has {free} left"),
    "cpu.hot": ("处理器 {temperature}，过热", "The processor is at {temperature}: too hot"),
    "help.asked": ("有群众求助", "A visitor asks for help"),
    "part.down": ("部件故障", "A part does not work"),
    "part.degraded": ("部件带病工作", "A part works with trouble"),
    "part.unknown": ("部件状态不明", "A part's state is unknown"),
    "part.absent": ("部件未安装", "The part is not installed"),
    "rating.leaf_mismatch": ("评价承诺与内容不符，该评价不计入", "A rating does not open its commitment; it is not counted"),
    "rating.unreadable": ("评价内容无法解封，该评价不计入", "A rating cannot be opened; it is not counted"),
    "rating.standing_mismatch": ("评价关闭记录与最后一次按键不符", "A closed rating names another press than the last"),
    "body.malformed": ("记录内容不符合格式", "A record's body is malformed"),
    "broker.refused": (
        "消息服务拒绝了证书无效或已吊销的连接",
        "The broker refused a connection whose certificate is not valid or was revoked",
    ),
    "broker.oversized": (
        "设备发送超过限制的消息，连接已断开",
        "A device sent more than the limit; the broker closed its connection",
    ),
    "notify.failed": (
        "工单通知 {count} 条发送失败（{audience}）",
        "{count} notices of work orders could not be sent ({audience})",
    ),
    "message.malformed": ("收到不合格式的消息", "A malformed message arrived"),
    # What an agent says of its device (runtime.health.MESSAGES).
    "face.not_back": ("屏幕程序没有按时重新启动", "The screen program did not come back in time"),
    "link.down": ("设备与服务器没有连接", "The device has no connection to the fleet"),
    "link.lost": ("设备与服务器的连接中断", "The device's connection broke"),
    "link.cut": ("消息服务还未应答，连接即被切断", "The connection was cut before the broker answered"),
    "link.refused": ("消息服务拒绝此设备（可能已吊销）", "The broker refuses the device; it may be revoked"),
    "link.unavailable": ("消息服务应答：暂时不能接入", "The broker answers that it cannot take the device now"),
    "link.unreachable": ("设备连不上消息服务", "The device cannot reach the broker"),
    "link.no_name": ("设备查不到消息服务的域名", "The device cannot resolve the broker's name"),
    "link.tls": ("加密连接建立失败", "The TLS handshake failed"),
    "link.not_our_fleet": ("设备连到的不是本单位的服务器", "The server is not one of the device's fleet"),
    "link.credentials": ("设备的密钥或证书无法读取", "The device's key or certificate cannot be loaded"),
    "custody.stopped": (
        "日志 {journal} 停止上传：{reason} {detail}",
        "Journal {journal} is handed over no more: {reason} {detail}",
    ),
    "custody.damaged": (
        "日志 {journal} 第 {seq} 条之后有损坏，已另起新日志",
        "Journal {journal} is damaged after entry {seq}; a successor goes on",
    ),
    "custody.unreadable": ("日志文件 {file} 打不开：{error}", "Journal file {file} cannot be opened: {error}"),
    "custody.forged": ("收到伪造的回执，已忽略", "A forged acknowledgement was ignored"),
    "message.refused": (
        "设备收到不是服务器发出或无法使用的消息（{channel}），已忽略",
        "A message ({channel}) that is not the fleet's own, or cannot be used, was ignored",
    ),
    "clock.disagrees": ("设备时钟与服务器相差一分钟以上", "The device's clock is over a minute off the fleet's"),
    "certificate.not_renewed": ("证书即将到期，续期未成功：{error}", "The certificate ends soon and was not renewed: {error}"),
    "configuration.partly": ("部分配置未生效：{problems}", "Some settings are not applied: {problems}"),
    "content.no_room": ("磁盘空间不足，放不下内容包", "The disk has no room for the content pack"),
    "content.not_fetched": ("内容包下载未成功：{error}", "The content pack could not be fetched: {error}"),
    "content.forged": (
        "内容包签名不对，已拒收，仍显示原内容",
        "The content pack carries a wrong signature; refused, the one before stays",
    ),
    "content.does_not_open": (
        "内容包打不开，仍显示原内容：{error}",
        "The content pack does not open; the one before stays: {error}",
    ),
    "content.not_shown": (
        "设备上的内容包不是服务器签发的或已损坏，未显示：{error}",
        "The pack kept on the device is not the fleet's or is damaged; it is not shown: {error}",
    ),
    "agent.store": ("设备代理无法写入自身数据", "The agent cannot write its own file"),
    "agent.restarted": ("命令完成前设备代理重新启动", "The agent was restarted before the command was finished"),
    "agent.store_lost": ("设备代理的数据损坏，已重建（记录无丢失）", "The agent's own file was made anew; no record is lost"),
    "command.incomplete": ("命令内容不完整", "The command lacks what it needs"),
    "command.unknown": (
        "设备不认识此命令（{verb}），需升级设备程序",
        "The device does not know this command ({verb}); update the device",
    ),
    "command.repeated": ("命令重复送达，此为原结果", "The command came twice; this is what became of it"),
    "configuration.none": ("设备还没有收到过配置", "The device has no configuration yet"),
    "content.none": ("配置中没有内容包", "The configuration names no content pack"),
    "picture.empty": ("屏幕程序交来空白画面", "The screen program sent an empty picture"),
    # Findings of ingest.
    "finding.wrong_topic": ("消息发到了协议之外的主题，已拒收", "A message came on a topic that is none; refused"),
    "finding.unknown_device": ("未登记的设备发来记录，已拒收", "A device that is not registered sent records; refused"),
    "finding.revoked_device": ("已吊销的设备发来记录，已拒收", "A revoked device sent records; refused"),
    "finding.wrong_identity": ("设备冒用他人身份、主题或日志，已拒收", "A device claims another's identity; refused"),
    "finding.bad_signature": ("记录签名不对，已拒收", "Records carry a wrong signature; refused"),
    "finding.malformed": ("记录格式不对，已拒收", "Records are malformed; refused"),
    "finding.oversized": ("消息超过大小限制，已拒收", "A message exceeds the size limit; refused"),
    "ingest.store_refuses": (
        "服务器无法写入记录，设备上的记录未丢失：{error}",
        "The fleet cannot store records; devices keep them: {error}",
    ),
    "ingest.stopped": ("记录接收程序已停止，记录暂存在设备上", "Ingest has stopped; devices keep their records"),
    "ingest.silent": ("记录接收程序没有响应，记录暂存在设备上", "Ingest does not answer; devices keep their records"),
    "finding.other_version": ("记录使用了不支持的版本", "Records use a version that is not supported"),
    "finding.not_storable": ("记录无法写入数据库，已登记", "Records could not be stored; noted"),
    "finding.broken_chain": ("记录链断裂，已拒收", "The chain of records is broken; refused"),
    "finding.wrong_body": ("记录内容与摘要不符，已拒收", "A record's body does not fit its hash; refused"),
    "finding.gap": ("记录有缺口，已要求补传", "Records are missing; the device was asked for them"),
    "finding.rewound": ("服务器恢复自备份，正向设备补取记录", "Restored from a backup: devices send again"),
    "finding.lost_by_restore": ("恢复备份后，部分记录设备上也已没有", "Records lost by a restore are gone from the device too"),
    "finding.no_opening": ("日志没有可读的开篇记录，已照收", "A journal without a readable opening was taken"),
    "finding.fork": ("同一日志出现两个版本（存储卡可能被恢复或复制），已隔离", "A journal forked (restored card); quarantined"),
    "finding.shelved": ("收到新版本记录，已妥善保存，升级后处理", "Records of a newer version were kept"),
    "finding.clock": ("记录时间与服务器相差过大，记录照收", "Records' times are far from the server's; taken"),
    "finding.declared_gap": ("设备声明有记录缺失", "A device declares that records are missing"),
    # What faces answer to orders.
    "rating.expired": ("邀请已过期", "The invitation had expired"),
    "rating.storage_full": ("评价存储已满，评价暂停", "Rating storage is full; rating is paused"),
    "rating.not_recorded": ("评价无法写入存储", "A rating could not be written"),
    "rating.on_battery": ("停电，设备靠电池运行，不接新评价", "Power out; on battery no new rating is asked for"),
    "rating.not_paired": ("评价器尚未配对完成，不能评价", "The evaluator is not paired yet"),
    "rating.already_over": ("这次服务的评价已经结束", "The rating of this service is over already"),
    "rating.already_given": ("群众已经按下，不能撤回", "The citizen has pressed already; it stands"),
    "rating.nothing_to_withdraw": ("没有可撤回的邀请", "There was no invitation to withdraw"),
    "picture.rating": ("有人正在评价，不拍画面", "Somebody is rating; no picture is taken"),
    "picture.too_big": ("画面过大，无法传送", "The picture is too large to send"),
    "invite.not_an_evaluator": ("该设备不是评价器", "The device is no evaluator"),
    # Next steps that are not a part's own.
    "next.free_server_disk": ("查服务器磁盘空间和数据库", "Check the server's disk space and database"),
    "next.start_ingest": ("在服务器上启动 nw-fleet ingest", "Start nw-fleet ingest on the server"),
    "next.look": ("打开设备页查看", "Look at the device page"),
    "next.start_broker": ("在服务器上检查 mosquitto 服务并启动", "Check and start mosquitto on the server"),
    "next.check_uplink": ("查该厅路由器和电源；本地查询照常", "Check the hall's router and power; local services go on"),
    "next.check_power_network": ("查设备电源和网线", "Check the device's power and network cable"),
    "next.restart_face": ("在设备页点“重启屏幕程序”", "Press “Restart screen” on the device page"),
    "next.check_archive": (
        "做一次备份（nw-fleet backup），设备即可腾出空间",
        "Make a backup (nw-fleet backup); devices then free space",
    ),
    "next.clock_repairs": (
        "联网后自动校正；若一小时未恢复，换电池",
        "Repairs itself online; after an hour, change the clock battery",
    ),
    "next.check_ingest": (
        "查 nw-fleet ingest 是否运行、网络是否拥堵",
        "Check that nw-fleet ingest runs and the network is not jammed",
    ),
    "next.apply_configuration": ("在设备页点“应用配置”", "Press “Apply configuration” on the device page"),
    "next.pull_content": ("在设备页点“拉取内容”", "Press “Pull content” on the device page"),
    "next.publish_again": ("在服务器上重新构建并发布内容包", "Build and publish the pack again on the server"),
    "next.bring_paper": ("下次巡检带一卷纸", "Bring a roll on the next round"),
    "next.free_disk": ("查日志和旧内容包；必要时换卡", "Check logs and old packs; change the card if need be"),
    "next.go_help": (
        "派人到设备前；点“接单”后群众会看到“已有人看到”",
        "Go there; once you take it the visitor sees that somebody knows",
    ),
    "next.find_device": ("查是谁在连接；若是本厅设备，先配对", "Find out who connects; pair it if it is yours"),
    "next.secure_device": (
        "检查设备是否被动过；必要时吊销并重新配对",
        "Check whether the device was tampered with; revoke and pair again",
    ),
    "next.check_fleet_certificates": (
        "查服务器上谁能使用消息服务的内部证书",
        "Check who can use the fleet's own certificates at the broker",
    ),
    "next.upgrade_fleet": ("升级服务器后自动处理", "Upgrade the fleet; they are read then"),
    "next.notify_channel": (
        "检查 fleet.toml 中 [notify] 的地址和网络；恢复后自动补发",
        "Check the addresses under [notify] in fleet.toml and the network; it is sent by itself then",
    ),
    "next.report_supplier": ("把此告警连同审计导出交给供应商", "Hand this incident with the audit export to the supplier"),
} | PARTS


class _Blank(dict[str, str]):
    """Shows `…` for an argument that was not sent, so that words never fail."""

    def __missing__(self, key: str) -> str:
        return "…"


def words(message: str | None, args: Mapping[str, str] | None = None, *, language: str = "zh") -> str:
    """The text of a message id in "zh" or "en". Unknown ids come back readable and marked; None gives an empty text."""
    if not message:
        return ""
    row = MESSAGES.get(message)
    if row is None:
        return f"未知代码 {message}" if language == "zh" else f"Unknown code {message}"
    return row[0 if language == "zh" else 1].format_map(_Blank({key: str(value) for key, value in (args or {}).items()}))
